//! ASK: a question becomes a proposal, and the proposal goes the way of typed SQL.

use std::ops::ControlFlow;
use std::sync::Arc;

use dialects::ast::{self, VisitMut, VisitorMut};
use mantissa_ask::{AskContext, Proposal};
use mantissa_core::{ErrorKind, Field, Problem, Rows};

use crate::engine::Estimate;
use crate::outcome::Result;
use crate::select::estimate_text;
use crate::session::Session;

impl Session {
    fn propose(&self, question: &str) -> Result<Proposal> {
        let catalog = self.gateway.parts.catalog.current();
        let context = AskContext {
            catalog: &catalog,
            now: self.now(),
            conversation: &self.conversation,
            identity: &self.identity,
        };
        Ok(mantissa_ask::propose(question, &context)?)
    }

    pub(crate) async fn describe_ask(&mut self, question: &str, text: &str) -> Result<Arc<[Field]>> {
        let proposal = self.propose(question)?;
        let query = parsed(&proposal)?;
        Ok(self.describe_query(&query, &[], text).await?.fields)
    }

    pub(crate) async fn run_ask(&mut self, question: &str, text: &str) -> Result<Rows> {
        let record = self.record(text, Some(question)).await?;
        match self.prepare_ask(question, text).await {
            Ok(query) => {
                let bounds = self.bounds(true);
                Ok(self.run_bound(query, &[], &[], text, bounds, record).await?.0)
            }
            Err(problem) => {
                record.failed(&problem);
                Err(problem)
            }
        }
    }

    /// Translates, announces and checks the cost; gives the query to run.
    async fn prepare_ask(&mut self, question: &str, text: &str) -> Result<ast::Query> {
        let proposal = self.propose(question)?;
        let query = parsed(&proposal)?;
        let (_, estimate) = self.preview(query.clone(), self.bounds(true), text).await?;
        self.announce(&proposal.sql, &proposal.explanation, estimate);
        self.confirm(estimate)?;
        self.conversation.remember(&proposal);
        Ok(query)
    }

    fn confirm(&self, estimate: Estimate) -> Result<()> {
        let limit = self.settings.real("mantissa.confirm_above_usd");
        let Some(usd) = estimate.usd.filter(|usd| *usd > limit) else { return Ok(()) };
        let message = format!("this question would cost about {usd:.2} USD, more than {limit:.2} USD");
        Err(Problem::new(ErrorKind::CostLimitExceeded, message)
            .hint(format!("To go on: SET mantissa.confirm_above_usd = {:.2}; and ask again.", usd.ceil())))
    }

    pub(crate) async fn explain_ask(&mut self, question: &str, text: &str) -> Result<Vec<String>> {
        let proposal = self.propose(question)?;
        let query = parsed(&proposal)?;
        let (engine_sql, estimate) = self.preview(query, self.bounds(true), text).await?;
        Ok(vec![
            format!("Question: {question}"),
            format!("Understood: {}", proposal.explanation),
            format!("SQL: {}", proposal.sql),
            format!("Engine SQL ({}): {engine_sql}", self.database.engine.dialect().name()),
            format!("Estimate: {}", estimate_text(estimate)),
        ])
    }

    /// Puts the proposed query in the place of every `ask('...')` in FROM.
    pub(crate) fn with_questions_answered(&self, mut query: ast::Query) -> Result<ast::Query> {
        let functions = dialects::relations(&query).functions;
        if !functions.iter().any(|function| function.name == "ask") {
            return Ok(query);
        }
        let mut answers = Answers { session: self };
        match query.visit(&mut answers) {
            ControlFlow::Break(problem) => Err(problem),
            ControlFlow::Continue(()) => Ok(query),
        }
    }
}

struct Answers<'a> {
    session: &'a Session,
}

impl VisitorMut for Answers<'_> {
    type Break = Problem;

    fn pre_visit_table_factor(&mut self, factor: &mut ast::TableFactor) -> ControlFlow<Problem> {
        let (name, arguments, alias) = match factor {
            ast::TableFactor::Table { name, args: Some(arguments), alias, .. } => {
                (name, arguments.args.as_slice(), alias)
            }
            ast::TableFactor::Function { name, args, alias, .. } => (name, args.as_slice(), alias),
            _ => return ControlFlow::Continue(()),
        };
        if dialects::name_parts(name).as_deref() != Some(&["ask".to_owned()]) {
            return ControlFlow::Continue(());
        }
        let question = match question(arguments) {
            Ok(question) => question,
            Err(problem) => return ControlFlow::Break(problem),
        };
        let alias = alias.take();
        match self.session.propose(&question).and_then(|proposal| parsed(&proposal)) {
            Ok(query) => {
                *factor = ast::TableFactor::Derived {
                    lateral: false,
                    subquery: Box::new(query),
                    alias: alias.or_else(|| Some(table_alias("ask"))),
                    sample: None,
                };
                ControlFlow::Continue(())
            }
            Err(problem) => ControlFlow::Break(problem),
        }
    }
}

fn table_alias(name: &str) -> ast::TableAlias {
    ast::TableAlias { explicit: true, name: dialects::ident(name), columns: Vec::new(), at: None }
}

fn question(arguments: &[ast::FunctionArg]) -> Result<String> {
    if let [ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(argument))] = arguments
        && let Some(text) = text_literal(argument)
    {
        return Ok(text);
    }
    Err(Problem::new(ErrorKind::InvalidParameterValue, "ask() takes one question as a literal")
        .hint("Write SELECT * FROM ask('top 10 source IPs by failed logins')."))
}

fn text_literal(expr: &ast::Expr) -> Option<String> {
    match expr {
        ast::Expr::Value(value) => value.value.clone().into_string(),
        ast::Expr::Cast { expr, .. } | ast::Expr::Nested(expr) => text_literal(expr),
        _ => None,
    }
}

fn parsed(proposal: &Proposal) -> Result<ast::Query> {
    dialects::parse_query(&proposal.sql).map_err(mantissa_guard::problem)
}
