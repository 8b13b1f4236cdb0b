use mantissa_core::Catalog;
use mantissa_lake::GeoSource;

use super::{Failure, print};
use crate::config::Config;
use crate::wiring;

/// `mantissa sources`: every log source with its table, and what the lake holds of it.
pub fn run(config: &Config, json: bool) -> Result<(), Failure> {
    let lake = wiring::open_lake(config, GeoSource::None)?;
    let snapshot = lake.snapshot();
    let mut rows = Vec::new();
    for source in lake.sources() {
        let held = snapshot.table(&source.name);
        let (files, count, bytes) = held.map_or((0, 0, 0), |table| (table.files.len(), table.rows, table.bytes));
        rows.push(vec![
            source.name.clone(),
            format!("{}.{}", Catalog::LOGS, source.name),
            source.title.clone(),
            if source.parser.is_some() { "yes" } else { "rows only" }.to_owned(),
            count.to_string(),
            files.to_string(),
            bytes.to_string(),
        ]);
    }
    print::table(&["source", "table", "title", "parser", "rows", "files", "bytes"], &rows, json)
}
