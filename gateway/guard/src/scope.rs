//! What names mean at one place of a statement.

use std::sync::Arc;

use mantissa_core::Table;

/// One entry of FROM.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub alias: String,
    /// `None` where they are not known here: a system table, a function, a subquery with `*`.
    pub columns: Option<Vec<String>>,
    /// The log table that it is.
    pub table: Option<Arc<Table>>,
    /// At most a hundred rows, provably.
    pub is_small: bool,
    pub position: Option<u32>,
}

impl Source {
    fn may_have(&self, column: &str) -> bool {
        self.columns.as_ref().is_none_or(|columns| columns.iter().any(|known| known == column))
    }

    fn has(&self, column: &str) -> bool {
        self.columns.as_ref().is_some_and(|columns| columns.iter().any(|known| known == column))
    }

    /// In the table, but not in what the user may read of it.
    pub fn hides(&self, column: &str) -> bool {
        !self.may_have(column) && self.table.as_ref().is_some_and(|table| table.column(column).is_some())
    }
}

/// The names that one SELECT adds.
#[derive(Debug, Default)]
pub(crate) struct Frame {
    pub sources: Vec<Source>,
    /// The names of its select list, which ORDER BY and GROUP BY may use.
    pub outputs: Vec<String>,
}

/// What a WITH query gives to who reads from it.
#[derive(Debug, Clone)]
pub(crate) struct Cte {
    pub name: String,
    pub columns: Option<Vec<String>>,
    pub is_small: bool,
    /// Levels of subqueries and of other WITH queries below it.
    pub depth: u32,
    /// Tables read when it is read once.
    pub scans: u64,
}

/// How a column name is meant.
pub(crate) enum Meaning<'a> {
    Column,
    /// The name of a source: the whole row.
    Row,
    Hidden(&'a Source),
    Unknown,
}

/// Innermost last.
#[derive(Debug, Default)]
pub(crate) struct Scopes {
    pub frames: Vec<Frame>,
    pub ctes: Vec<Cte>,
}

impl Scopes {
    pub fn cte(&self, name: &str) -> Option<&Cte> {
        self.ctes.iter().rev().find(|cte| cte.name == name)
    }

    pub fn source(&self, alias: &str) -> Option<&Source> {
        self.frames.iter().rev().find_map(|frame| frame.sources.iter().find(|source| source.alias == alias))
    }

    pub fn meaning(&self, column: &str) -> Meaning<'_> {
        for frame in self.frames.iter().rev() {
            let is_known = frame.sources.iter().any(|source| source.may_have(column));
            if is_known || frame.outputs.iter().any(|output| output == column) {
                return Meaning::Column;
            }
        }
        let mut sources = self.frames.iter().rev().flat_map(|frame| &frame.sources);
        if let Some(source) = sources.clone().find(|source| source.hides(column)) {
            return Meaning::Hidden(source);
        }
        if sources.any(|source| source.alias == column) { Meaning::Row } else { Meaning::Unknown }
    }

    /// The column of any source in reach whose name is most like the one given.
    pub fn nearest_column(&self, column: &str) -> Option<String> {
        let sources = self.frames.iter().flat_map(|frame| &frame.sources);
        let columns = sources.filter_map(|source| source.columns.as_ref()).flatten().map(String::as_str);
        dialects::nearest(column, columns).map(str::to_owned)
    }
}

impl Frame {
    /// The number of the source that a column belongs to, where only one can have it.
    pub fn owner(&self, column: &str) -> Option<usize> {
        let only = |wanted: &dyn Fn(&Source) -> bool| {
            let mut found = self.sources.iter().enumerate().filter(|(_, source)| wanted(source));
            found.next().filter(|_| found.next().is_none()).map(|(number, _)| number)
        };
        only(&|source| source.has(column)).or_else(|| only(&|source| source.may_have(column)))
    }

    pub fn number(&self, alias: &str) -> Option<usize> {
        self.sources.iter().position(|source| source.alias == alias)
    }
}
