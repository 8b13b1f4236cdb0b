//! A bound statement: names resolved, types known, ready to run.

use std::sync::Arc;

use mantissa_core::{Field, Origin, PgType};

use crate::context::Context;
use crate::datum::Datum;
use crate::error::Result;
use crate::relation::Shape;

/// An expression with its type.
#[derive(Debug, Clone)]
pub struct Ex {
    pub node: Node,
    pub ty: PgType,
    pub typmod: i32,
    /// Fields of a row value.
    pub fields: Option<Fields>,
    pub origin: Option<Origin>,
    /// Where the statement's text has it.
    pub position: Option<u32>,
}

pub type Fields = Arc<Vec<(Arc<str>, PgType)>>;

/// A column of the current row: `level` SELECTs outwards, FROM item `slot`, column `column`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ColumnRef {
    pub level: usize,
    pub slot: usize,
    pub column: usize,
}

/// Arguments of a function call, with what it may need of their types.
pub struct Arguments<'a> {
    pub values: &'a [Datum],
    pub types: &'a [PgType],
    pub result: PgType,
}

impl std::ops::Deref for Arguments<'_> {
    type Target = [Datum];

    fn deref(&self) -> &[Datum] {
        self.values
    }
}

pub type ScalarFn = fn(&Context<'_>, &Arguments<'_>) -> Result<Datum>;
pub type SetFn = fn(&Context<'_>, &Arguments<'_>) -> Result<Vec<Datum>>;

#[derive(Debug, Clone)]
pub enum Node {
    Const(Datum),
    Column(ColumnRef),
    /// A FROM item's whole row.
    WholeRow {
        level: usize,
        slot: usize,
    },
    Parameter(usize),
    Call {
        function: ScalarFn,
        name: &'static str,
        strict: bool,
        arguments: Vec<Ex>,
    },
    Cast(Box<Ex>),
    And(Vec<Ex>),
    Or(Vec<Ex>),
    Not(Box<Ex>),
    IsNull(Box<Ex>, bool),
    /// IS TRUE, IS FALSE, IS UNKNOWN (`None`); negated.
    IsBool(Box<Ex>, Option<bool>, bool),
    Compare(Comparison, Box<Ex>, Box<Ex>),
    /// IS DISTINCT FROM; negated: IS NOT DISTINCT FROM.
    Distinct(Box<Ex>, Box<Ex>, bool),
    /// `left op ANY|ALL (array)`; the operator is applied to (`Slot(0)`, `Slot(1)`) in `test`.
    Quantified {
        left: Box<Ex>,
        array: Box<Ex>,
        test: Box<Ex>,
        all: bool,
    },
    /// `left = ANY (constants)`.
    InSet {
        left: Box<Ex>,
        set: Arc<Set>,
        negated: bool,
    },
    /// A value bound by the enclosing [`Node::Quantified`], [`Node::SubqueryTest`] or simple CASE.
    Local(usize),
    Case {
        operand: Option<Box<Ex>>,
        whens: Vec<(Ex, Ex)>,
        otherwise: Option<Box<Ex>>,
    },
    Coalesce(Vec<Ex>),
    /// GREATEST, or LEAST.
    Extreme(Vec<Ex>, bool),
    Array {
        items: Vec<Ex>,
        element: PgType,
        nested: bool,
    },
    Row(Vec<Ex>),
    Field(Box<Ex>, usize),
    Subscript(Box<Ex>, Vec<Subscript>),
    Scalar(Subquery),
    Exists(Subquery, bool),
    ArrayOf(Subquery, PgType),
    /// `left op ANY|ALL (subquery)`: `test` compares locals `0..n` (left) with `n..2n` (the subquery's row).
    SubqueryTest {
        left: Vec<Ex>,
        subquery: Subquery,
        test: Box<Ex>,
        all: bool,
        hashable: bool,
    },
}

/// Constants of an IN list, by key; `has_null` says whether NULL was among them.
#[derive(Debug)]
pub struct Set {
    pub keys: std::collections::HashSet<crate::key::Key>,
    pub has_null: bool,
}

#[derive(Debug, Clone)]
pub enum Subscript {
    Index(Ex),
    Slice(Option<Ex>, Option<Ex>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    Eq,
    NotEq,
    Lt,
    LtEq,
    Gt,
    GtEq,
}

impl Comparison {
    pub fn holds(self, order: std::cmp::Ordering) -> bool {
        match self {
            Comparison::Eq => order.is_eq(),
            Comparison::NotEq => order.is_ne(),
            Comparison::Lt => order.is_lt(),
            Comparison::LtEq => order.is_le(),
            Comparison::Gt => order.is_gt(),
            Comparison::GtEq => order.is_ge(),
        }
    }

    pub fn symbol(self) -> &'static str {
        match self {
            Comparison::Eq => "=",
            Comparison::NotEq => "<>",
            Comparison::Lt => "<",
            Comparison::LtEq => "<=",
            Comparison::Gt => ">",
            Comparison::GtEq => ">=",
        }
    }
}

/// A nested SELECT. `free` are the outer columns it reads, seen from where it stands: its result is kept per their values.
#[derive(Debug, Clone)]
pub struct Subquery {
    pub id: usize,
    pub query: Arc<Query>,
    pub free: Vec<ColumnRef>,
}

/// A whole query: WITH, body, ORDER BY, LIMIT.
#[derive(Debug, Clone)]
pub struct Query {
    pub ctes: Vec<Cte>,
    pub body: Body,
    pub order: Vec<SortKey>,
    pub limit: Option<Ex>,
    pub offset: Option<Ex>,
    /// One an output column.
    pub fields: Vec<Output>,
}

#[derive(Debug, Clone)]
pub struct Output {
    pub field: Field,
    pub fields: Option<Fields>,
}

#[derive(Debug, Clone)]
pub struct Cte {
    pub id: usize,
    pub query: Query,
    /// The recursive term with UNION's `distinct`.
    pub recursive: Option<(Query, bool)>,
}

#[derive(Debug, Clone)]
pub struct SortKey {
    pub by: SortBy,
    pub descending: bool,
    pub nulls_first: bool,
}

#[derive(Debug, Clone)]
pub enum SortBy {
    Output(usize),
    Expression(Ex),
}

#[derive(Debug, Clone)]
pub enum Body {
    Select(Box<Select>),
    Values(Vec<Vec<Ex>>),
    SetOperation {
        operator: SetOperator,
        all: bool,
        left: Box<Query>,
        right: Box<Query>,
    },
    /// A bracketed query with its own ORDER BY and LIMIT.
    Query(Box<Query>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetOperator {
    Union,
    Intersect,
    Except,
}

#[derive(Debug, Clone)]
pub struct Select {
    /// FROM items, aggregates, window results and set-returning results each have a slot of the row.
    pub slots: usize,
    pub from: From,
    /// Conjuncts that read no column of this SELECT: looked at once.
    pub gates: Vec<Ex>,
    pub grouping: Option<Grouping>,
    pub having: Option<Ex>,
    pub windows: Vec<Window>,
    pub sets: Vec<SetCall>,
    pub targets: Vec<Ex>,
    pub distinct: Distinct,
}

#[derive(Debug, Clone)]
pub enum Distinct {
    No,
    Yes,
    On(Vec<Ex>),
}

#[derive(Debug, Clone)]
pub struct Grouping {
    pub slot: usize,
    pub keys: Vec<Ex>,
    /// Which keys each grouping set has; one with all of them for a plain GROUP BY.
    pub sets: Vec<Vec<usize>>,
    pub aggregates: Vec<Aggregate>,
}

#[derive(Debug, Clone)]
pub struct Aggregate {
    pub kind: crate::functions::aggregate::Kind,
    pub arguments: Vec<Ex>,
    pub distinct: bool,
    pub filter: Option<Ex>,
    pub order: Vec<SortKey>,
    pub result: PgType,
}

#[derive(Debug, Clone)]
pub struct Window {
    pub slot: usize,
    pub kind: crate::functions::aggregate::WindowKind,
    pub arguments: Vec<Ex>,
    pub partition: Vec<Ex>,
    pub order: Vec<SortKey>,
    /// The frame ends at the partition's end (no ORDER BY, or UNBOUNDED FOLLOWING).
    pub whole: bool,
    /// ROWS rather than RANGE: peers are told apart.
    pub rows: bool,
    pub filter: Option<Ex>,
    pub result: PgType,
}

/// A set-returning call in the target list; its value for the row is column 0 of `slot`.
#[derive(Debug, Clone)]
pub struct SetCall {
    pub slot: usize,
    pub call: TableCall,
}

#[derive(Debug, Clone)]
pub struct TableCall {
    pub function: TableFunction,
    pub arguments: Vec<Ex>,
    pub result: PgType,
    /// Columns of a record that the function returns.
    pub fields: Option<Fields>,
}

#[derive(Debug, Clone, Copy)]
pub enum TableFunction {
    Set {
        function: SetFn,
        strict: bool,
    },
    /// An ordinary function: one row.
    Scalar {
        function: ScalarFn,
        strict: bool,
    },
    /// An expression that stands for itself: one row (`coalesce(...)` in FROM).
    Value,
}

#[derive(Debug, Clone)]
pub enum From {
    /// As written, before the order of joins is chosen; with WHERE's conjuncts.
    Raw(Option<Tree>, Vec<Ex>),
    /// No FROM: one row.
    Nothing,
    Item(Box<Item>),
    Join(Box<Join>),
}

/// FROM as written.
#[derive(Debug, Clone)]
pub enum Tree {
    Item(Box<Item>),
    Join {
        kind: JoinKind,
        left: Box<Tree>,
        right: Box<Tree>,
        on: Vec<Ex>,
    },
    /// A subquery that was merged into this SELECT, with its WHERE.
    Filter(Box<Tree>, Vec<Ex>),
}

#[derive(Debug, Clone)]
pub struct Join {
    pub kind: JoinKind,
    pub left: From,
    pub right: From,
    /// Equal expressions of left and right.
    pub keys: Vec<(Ex, Ex)>,
    pub conditions: Vec<Ex>,
    /// WHERE conjuncts that can be looked at here.
    pub filters: Vec<Ex>,
    /// Slots and widths of the sides, for NULL rows of outer joins.
    pub left_slots: Vec<(usize, usize)>,
    pub right_slots: Vec<(usize, usize)>,
    /// The right side reads columns of the left.
    pub lateral: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JoinKind {
    Inner,
    Left,
    Right,
    Full,
}

#[derive(Debug, Clone)]
pub struct Item {
    pub slot: usize,
    pub width: usize,
    pub source: ItemSource,
    pub filters: Vec<Ex>,
    /// `column = expression` that an index answers; the expression reads no column of this item.
    pub lookup: Option<(usize, Ex)>,
    /// Rows expected, for the order of joins.
    pub estimate: usize,
}

#[derive(Debug, Clone)]
pub enum ItemSource {
    Relation(Arc<Shape>),
    Query(Arc<Query>),
    Cte(usize),
    /// ROWS FROM semantics: calls side by side.
    Functions {
        calls: Vec<TableCall>,
        ordinality: bool,
    },
}

impl Ex {
    pub fn new(node: Node, ty: PgType) -> Self {
        Self { node, ty, typmod: -1, fields: None, origin: None, position: None }
    }

    pub fn constant(value: Datum, ty: PgType) -> Self {
        Self::new(Node::Const(value), ty)
    }

    pub fn column(slot: usize, column: usize, ty: PgType) -> Self {
        Self::new(Node::Column(ColumnRef { level: 0, slot, column }), ty)
    }

    pub fn is_unknown(&self) -> bool {
        self.ty == PgType::UNKNOWN
    }
}
