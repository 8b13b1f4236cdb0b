//! Order of rows.

use std::cmp::Ordering;

use crate::datum::Datum;
use crate::plan::{SortBy, SortKey};
use crate::relation::Row;
use crate::types::compare::compare;

/// Compares the values of sort keys.
pub fn order(keys: &[SortKey], left: &[Datum], right: &[Datum]) -> Ordering {
    for (key, (a, b)) in keys.iter().zip(left.iter().zip(right)) {
        let order = match (a.is_null(), b.is_null()) {
            (true, true) => Ordering::Equal,
            (true, false) if key.nulls_first => Ordering::Less,
            (true, false) => Ordering::Greater,
            (false, true) if key.nulls_first => Ordering::Greater,
            (false, true) => Ordering::Less,
            (false, false) if key.descending => compare(b, a),
            (false, false) => compare(a, b),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    Ordering::Equal
}

/// Sorts rows by their own columns.
pub fn by_outputs(rows: Vec<Row>, keys: &[SortKey]) -> Vec<Row> {
    let value = |row: &Row, key: &SortKey| match key.by {
        SortBy::Output(index) => row.get(index).cloned().unwrap_or(Datum::Null),
        SortBy::Expression(_) => Datum::Null,
    };
    let mut keyed: Vec<(Vec<Datum>, Row)> =
        rows.into_iter().map(|row| (keys.iter().map(|key| value(&row, key)).collect(), row)).collect();
    keyed.sort_by(|a, b| order(keys, &a.0, &b.0));
    keyed.into_iter().map(|(_, row)| row).collect()
}
