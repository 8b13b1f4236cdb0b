//! The functions of canonical SQL, in one table.

/// What a function is called in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FunctionKind {
    Scalar,
    Aggregate,
    Window,
    /// In FROM.
    Table,
}

/// As Postgres's `provolatile`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Volatility {
    Immutable,
    Stable,
    Volatile,
}

/// One function of canonical SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Function {
    pub name: &'static str,
    pub kind: FunctionKind,
    pub volatility: Volatility,
    /// Any user may call it. What is not allowed is listed to be refused by name: it reads files, sleeps, changes state.
    pub allowed: bool,
    /// Answered from the catalog and the session (`pg_get_userbyid`, `current_schema`), not from the lake.
    pub catalog: bool,
}

/// Every function, in the order of the table.
pub fn functions() -> &'static [Function] {
    FUNCTIONS
}

/// Finds a function by its folded name.
pub fn function(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|function| function.name == name)
}

/// The allowed function whose name is most like `name`, for a hint.
pub fn nearest_function(name: &str) -> Option<&'static str> {
    let allowed = FUNCTIONS.iter().filter(|function| function.allowed && !function.catalog);
    let scored = allowed.map(|function| (edit_distance(name, function.name), function.name));
    let (distance, nearest) = scored.min()?;
    (distance <= 1 + name.len() / 4).then_some(nearest)
}

/// Insertions, deletions and replacements that lead from one name to the other.
pub(crate) fn edit_distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, from_char) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to_char) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(from_char != *to_char);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}

/// Functions that DataFusion lacks or answers differently: the embedded engine registers each under this name.
pub const ENGINE_FUNCTIONS: &[&str] = &["json_get", "json_get_text", "json_path", "json_path_text"];

const FUNCTIONS: &[Function] = &[];
