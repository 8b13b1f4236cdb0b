//! What the commits add up to, and the cheap snapshot of it that readers hold.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use mantissa_core::{Catalog, Table, TableKind, TableName};

use crate::commit::{Commit, Cut, FileRecord, Hash, QuarantineFile};
use crate::layout::{Layout, day_name};
use crate::schema::{COMMON, ColumnSpec, arrow_schema};
use crate::source::SourceSpec;
use crate::timestamp::Micros;

/// Name of the view over all sources.
pub const EVENTS: &str = "events";

/// A committed Parquet file.
#[derive(Debug, Clone, PartialEq)]
pub struct DataFile {
    pub path: PathBuf,
    /// Path below `DATA/lake`, `/` between folders.
    pub name: String,
    /// Partition: UTC day, `YYYY-MM-DD`.
    pub dt: String,
    /// The same day, counted from 1970-01-01.
    pub day: i64,
    pub rows: u64,
    pub bytes: u64,
    /// First and last `time`, microseconds since 1970-01-01 UTC, both included.
    pub min_time: Micros,
    pub max_time: Micros,
    /// How many of the table's inferred columns the file has; later ones read as null.
    pub schema_version: u32,
}

/// One table as of a snapshot.
#[derive(Debug, Clone)]
pub struct TableSnapshot {
    pub name: String,
    /// Every column in order, `raw` last. A file may lack some (null) or hold one in a narrower type (cast).
    pub schema: SchemaRef,
    pub columns: Arc<[ColumnSpec]>,
    /// By day, then by first time.
    pub files: Arc<[Arc<DataFile>]>,
    pub rows: u64,
    pub bytes: u64,
}

/// The whole lake as of one commit. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// Rises with every commit.
    pub version: u64,
    pub tables: Arc<BTreeMap<String, Arc<TableSnapshot>>>,
    pub catalog: Arc<Catalog>,
    /// Events in quarantine.
    pub quarantined: u64,
}

impl Snapshot {
    pub fn table(&self, name: &str) -> Option<&Arc<TableSnapshot>> {
        self.tables.get(name)
    }
}

/// The state that commits lead to. Writers change it under the lock, readers see snapshots of it.
#[derive(Debug, Default)]
pub struct Manifest {
    /// Commits read, and where the next one starts in the log.
    pub version: u64,
    pub offset: u64,
    pub files: BTreeMap<String, BTreeMap<String, FileRecord>>,
    pub inputs: HashSet<(String, Hash)>,
    pub cuts: Vec<(String, Cut)>,
    pub columns: HashMap<String, Vec<ColumnSpec>>,
    pub quarantine: BTreeMap<String, QuarantineFile>,
    /// Replaced files and when; kept a while for readers that still hold an older snapshot.
    pub retired: HashMap<String, Micros>,
    /// Tables that changed since the last snapshot.
    changed: HashSet<String>,
}

impl Manifest {
    pub fn apply(&mut self, commit: Commit) {
        self.version += 1;
        for input in commit.inputs {
            if let Some(cut) = input.cut {
                self.cuts.push((input.table.clone(), cut));
            }
            self.inputs.insert((input.table, input.hash));
        }
        for name in commit.remove {
            if let Some(table) = name.split('/').next().and_then(|table| self.files.get_mut(table)) {
                table.remove(&name);
            }
            self.changed.extend(name.split('/').next().map(str::to_owned));
            self.retired.insert(name, commit.at);
        }
        for file in commit.add {
            self.changed.insert(file.table.clone());
            self.files.entry(file.table.clone()).or_default().insert(file.name.clone(), file);
        }
        for (table, column) in commit.columns {
            self.changed.insert(table.clone());
            let columns = self.columns.entry(table).or_default();
            match columns.iter_mut().find(|known| known.name == column.name) {
                Some(known) => *known = column,
                None => columns.push(column),
            }
        }
        for id in commit.quarantine_remove {
            self.quarantine.remove(&id);
        }
        for file in commit.quarantine_add {
            self.quarantine.insert(file.id.clone(), file);
        }
    }

    pub fn inferred(&self, table: &str) -> &[ColumnSpec] {
        self.columns.get(table).map_or(&[], Vec::as_slice)
    }

    /// Builds a snapshot; tables that did not change since `previous` are shared with it.
    pub fn snapshot(&mut self, layout: &Layout, sources: &[SourceSpec], previous: Option<&Snapshot>) -> Snapshot {
        let changed = std::mem::take(&mut self.changed);
        let tables: BTreeMap<String, Arc<TableSnapshot>> = sources
            .iter()
            .map(|source| {
                let before = previous.and_then(|snapshot| snapshot.table(&source.name));
                let table = match before.filter(|_| !changed.contains(&source.name)) {
                    Some(table) => table.clone(),
                    None => Arc::new(self.table_snapshot(layout, source)),
                };
                (source.name.clone(), table)
            })
            .collect();
        let catalog = Arc::new(catalog(sources, &tables));
        let quarantined = self.quarantine.values().map(|file| file.events).sum();
        Snapshot { version: self.version, tables: Arc::new(tables), catalog, quarantined }
    }

    fn table_snapshot(&self, layout: &Layout, source: &SourceSpec) -> TableSnapshot {
        let columns = source.table_columns(self.inferred(&source.name));
        let records = self.files.get(&source.name).into_iter().flat_map(BTreeMap::values);
        let mut files: Vec<Arc<DataFile>> = records
            .map(|record| {
                Arc::new(DataFile {
                    path: layout.path(&record.name),
                    name: record.name.clone(),
                    dt: day_name(record.day),
                    day: record.day,
                    rows: record.rows,
                    bytes: record.bytes,
                    min_time: record.min_time,
                    max_time: record.max_time,
                    schema_version: record.inferred,
                })
            })
            .collect();
        files.sort_by(|a, b| (a.day, a.min_time, &a.name).cmp(&(b.day, b.min_time, &b.name)));
        TableSnapshot {
            name: source.name.clone(),
            schema: arrow_schema(&columns),
            columns: columns.into(),
            rows: files.iter().map(|file| file.rows).sum(),
            bytes: files.iter().map(|file| file.bytes).sum(),
            files: files.into(),
        }
    }
}

fn catalog(sources: &[SourceSpec], tables: &BTreeMap<String, Arc<TableSnapshot>>) -> Catalog {
    let mut listed: Vec<Arc<Table>> = sources
        .iter()
        .filter_map(|source| {
            let columns = tables.get(&source.name)?.columns.iter().map(ColumnSpec::catalog_column).collect();
            Some(Arc::new(Table {
                name: TableName::new(Catalog::LOGS, &source.name),
                kind: TableKind::Table,
                columns,
                comment: Some(format!("{}. {}", source.title, source.description)),
            }))
        })
        .collect();
    listed.push(Arc::new(events_view(sources)));
    Catalog { tables: listed }
}

fn events_view(sources: &[SourceSpec]) -> Table {
    let names: Vec<&str> = COMMON.iter().map(|(name, _, _)| *name).collect();
    let columns = names.join(", ");
    let selects: Vec<String> =
        sources.iter().map(|source| format!("SELECT {columns} FROM {}.{}", Catalog::LOGS, source.name)).collect();
    Table {
        name: TableName::new(Catalog::LOGS, EVENTS),
        kind: TableKind::View(selects.join(" UNION ALL ")),
        columns: crate::schema::common_columns()
            .map(|column| {
                let mut column = column.catalog_column();
                column.nullable = true;
                column
            })
            .collect(),
        comment: Some("Events of all sources, common columns only.".to_owned()),
    }
}
