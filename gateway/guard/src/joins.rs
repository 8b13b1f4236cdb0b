//! Joins that multiply: two tables side by side with nothing that ties them together.

use dialects::ast::{
    BinaryOperator, Expr, JoinConstraint, JoinOperator, Select, TableFactor, TableWithJoins, UnaryOperator,
};
use dialects::{fold, name_parts};

use crate::Error;
use crate::scope::Frame;

/// Sets of sources by number.
type Group = Vec<usize>;

/// Refuses a SELECT in which two sources that may be large are not tied by any condition, however indirectly.
pub(crate) fn check_joins(select: &Select, frame: &Frame) -> Result<(), Error> {
    let large: Vec<usize> = (0..frame.sources.len()).filter(|index| !frame.sources[*index].is_small).collect();
    if large.len() < 2 {
        return Ok(());
    }
    let mut ties = Ties { frame, parent: (0..frame.sources.len()).collect() };
    for condition in select.selection.iter() {
        ties.tie_all(condition);
    }
    let mut next = 0;
    for item in &select.from {
        ties.tie_joins(item, &mut next);
    }
    let first = large[0];
    let loose = large.iter().copied().find(|index| ties.root(*index) != ties.root(first));
    match loose {
        None => Ok(()),
        Some(index) => {
            let (left, right) = (&frame.sources[first], &frame.sources[index]);
            Err(Error::CrossJoin { left: left.alias.clone(), right: right.alias.clone(), position: right.position })
        }
    }
}

struct Ties<'a> {
    frame: &'a Frame,
    parent: Vec<usize>,
}

impl Ties<'_> {
    fn root(&self, index: usize) -> usize {
        let mut root = index;
        while self.parent[root] != root {
            root = self.parent[root];
        }
        root
    }

    fn tie(&mut self, group: &[usize]) {
        for pair in group.windows(2) {
            let (left, right) = (self.root(pair[0]), self.root(pair[1]));
            self.parent[left] = right;
        }
    }

    fn tie_all(&mut self, condition: &Expr) {
        for group in self.groups(condition) {
            self.tie(&group);
        }
    }

    /// Follows the joins of one FROM entry; `next` is the number of its next source.
    fn tie_joins(&mut self, item: &TableWithJoins, next: &mut usize) {
        let start = *next;
        self.tie_factor(&item.relation, next);
        for join in &item.joins {
            let right = *next;
            self.tie_factor(&join.relation, next);
            match constraint_of(&join.join_operator) {
                Some(JoinConstraint::On(condition)) => self.tie_all(condition),
                Some(JoinConstraint::Using(columns)) if !columns.is_empty() => self.tie(&[start, right]),
                Some(JoinConstraint::Natural) => self.tie(&[start, right]),
                _ => {}
            }
        }
    }

    fn tie_factor(&mut self, factor: &TableFactor, next: &mut usize) {
        match factor {
            TableFactor::NestedJoin { table_with_joins, alias: None } => self.tie_joins(table_with_joins, next),
            _ => *next += 1,
        }
    }

    /// The sets of sources that a condition ties: those of every AND, and of an OR only what both of its sides tie.
    fn groups(&self, condition: &Expr) -> Vec<Group> {
        match condition {
            Expr::Nested(inner) => self.groups(inner),
            Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
                let mut groups = self.groups(left);
                groups.extend(self.groups(right));
                groups
            }
            Expr::BinaryOp { left, op: BinaryOperator::Or, right } => {
                let others = self.groups(right);
                self.groups(left).into_iter().filter(|group| others.contains(group)).collect()
            }
            Expr::BinaryOp { left, op, right } if compares(op) => self.tied(&[left, right]),
            Expr::IsNotDistinctFrom(left, right) => self.tied(&[left, right]),
            Expr::Between { expr, negated: false, low, high } => self.tied(&[expr, low, high]),
            Expr::Like { negated: false, expr, pattern, .. } | Expr::ILike { negated: false, expr, pattern, .. } => {
                self.tied(&[expr, pattern])
            }
            Expr::InList { expr, list, negated: false } => {
                let each = list.iter().map(|item| self.tied(&[expr, item])).collect::<Vec<_>>();
                each.first().filter(|first| each.iter().all(|groups| groups == *first)).cloned().unwrap_or_default()
            }
            _ => Vec::new(),
        }
    }

    /// One set of all sources that the sides of a comparison name, where every side names some and no two the same alone.
    fn tied(&self, sides: &[&Expr]) -> Vec<Group> {
        let groups: Vec<Group> = sides.iter().map(|side| self.sources_of(side)).collect();
        let mut all: Group = groups.iter().flatten().copied().collect();
        all.sort_unstable();
        all.dedup();
        if all.len() > 1 { vec![all] } else { Vec::new() }
    }

    fn sources_of(&self, expr: &Expr) -> Group {
        let mut found = Vec::new();
        collect_columns(expr, &mut |parts| {
            let number = match parts {
                [column] => self.frame.owner(column),
                [.., alias, _] => self.frame.number(alias),
                [] => None,
            };
            found.extend(number);
        });
        found.sort_unstable();
        found.dedup();
        found
    }
}

fn constraint_of(operator: &JoinOperator) -> Option<&JoinConstraint> {
    match operator {
        JoinOperator::Join(constraint)
        | JoinOperator::Inner(constraint)
        | JoinOperator::Left(constraint)
        | JoinOperator::LeftOuter(constraint)
        | JoinOperator::Right(constraint)
        | JoinOperator::RightOuter(constraint)
        | JoinOperator::FullOuter(constraint)
        | JoinOperator::CrossJoin(constraint) => Some(constraint),
        _ => None,
    }
}

/// Comparisons that keep few pairs. `<>` keeps nearly all.
fn compares(operator: &BinaryOperator) -> bool {
    use BinaryOperator as Op;
    matches!(
        operator,
        Op::Eq | Op::Lt | Op::LtEq | Op::Gt | Op::GtEq | Op::PGStartsWith | Op::PGRegexMatch | Op::PGRegexIMatch
    )
}

fn collect_columns(expr: &Expr, found: &mut impl FnMut(&[String])) {
    match expr {
        Expr::Identifier(ident) => found(&[fold(ident)]),
        Expr::CompoundIdentifier(parts) => found(&parts.iter().map(fold).collect::<Vec<_>>()),
        Expr::Nested(inner) | Expr::Cast { expr: inner, .. } | Expr::Collate { expr: inner, .. } => {
            collect_columns(inner, found);
        }
        Expr::UnaryOp { op: UnaryOperator::Plus | UnaryOperator::Minus, expr } => collect_columns(expr, found),
        Expr::AtTimeZone { timestamp, .. } => collect_columns(timestamp, found),
        Expr::Extract { expr, .. } | Expr::Substring { expr, .. } | Expr::Trim { expr, .. } => {
            collect_columns(expr, found)
        }
        Expr::BinaryOp { left, right, .. } => {
            collect_columns(left, found);
            collect_columns(right, found);
        }
        Expr::Function(call) => {
            debug_assert!(name_parts(&call.name).is_some());
            if let dialects::ast::FunctionArguments::List(list) = &call.args {
                for arg in &list.args {
                    if let dialects::ast::FunctionArg::Unnamed(dialects::ast::FunctionArgExpr::Expr(expr)) = arg {
                        collect_columns(expr, found);
                    }
                }
            }
        }
        _ => {}
    }
}
