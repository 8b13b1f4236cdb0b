//! What each kind of statement does to the session.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use arrow::datatypes::{DataType, Schema};
use arrow::record_batch::RecordBatch;
use mantissa_core::{ErrorKind, Field, PgType, Problem, Rows, Value};

use crate::audit::Record;
use crate::cursor::Cursor;
use crate::error;
use crate::outcome::{Notice, Outcome, Prepared, Result, Shape};
use crate::session::{Parsed, Session};
use crate::statement::{Declare, Discard, Fetch, SetValue, Statement};
use crate::transaction::Transaction;

impl Prepared {
    pub(crate) fn undescribed(parsed: Parsed) -> Self {
        let shape = Shape::new(Vec::new(), None);
        Self { statement: parsed.statement, text: parsed.text, offset: parsed.offset, shape: Arc::new(shape) }
    }
}

impl Session {
    pub(crate) async fn describe(&mut self, parsed: Parsed, types: &[PgType]) -> Result<Prepared> {
        let statement = Arc::clone(&parsed.statement);
        self.check_transaction(&statement)?;
        let (parameters, fields) = match statement.as_ref() {
            Statement::Select(query) => {
                let description = self.describe_query(query, types, &parsed.text).await?;
                (description.parameters, Some(description.fields))
            }
            Statement::Ask(question) => (Vec::new(), Some(self.describe_ask(question, &parsed.text).await?)),
            Statement::Explain(_) => (types.to_vec(), Some(text_fields(&["QUERY PLAN"]))),
            Statement::Show(name) => (Vec::new(), Some(text_fields(&[&self.settings.show(name)?.0]))),
            Statement::ShowAll => (Vec::new(), Some(text_fields(SHOW_ALL))),
            Statement::Fetch(fetch) if !fetch.only_move => {
                let fields = self.cursor_fields(&fetch.cursor).map(|(fields, _)| fields);
                (Vec::new(), Some(fields.ok_or_else(|| no_cursor(&fetch.cursor))?))
            }
            Statement::Execute { name, .. } => (Vec::new(), self.prepared(name)?.fields().cloned()),
            Statement::Declare(declare) => {
                (self.describe_query(&declare.query, types, &parsed.text).await?.parameters, None)
            }
            Statement::Copy { query, .. } => (self.describe_query(query, types, &parsed.text).await?.parameters, None),
            Statement::Refused(command) => return Err(error::read_only(command)),
            _ => (Vec::new(), None),
        };
        let shape = Shape::new(parameters, fields);
        Ok(Prepared { statement, text: parsed.text, offset: parsed.offset, shape: Arc::new(shape) })
    }

    pub(crate) async fn dispatch(&mut self, prepared: &Prepared, parameters: Vec<Value>) -> Result<Outcome> {
        let statement = Arc::clone(&prepared.statement);
        self.check_transaction(&statement)?;
        match statement.as_ref() {
            Statement::Select(query) => {
                let rows = self.run_query(query, prepared, &parameters).await?;
                Ok(Outcome::Rows { rows, tag: "SELECT", counted: true, binary: false })
            }
            Statement::Ask(question) => {
                let rows = self.run_ask(question, &prepared.text).await?;
                Ok(Outcome::Rows { rows, tag: "SELECT", counted: true, binary: false })
            }
            Statement::Copy { query, format } => {
                let rows = self.run_query(query, prepared, &parameters).await?;
                Ok(Outcome::CopyOut { rows, format: format.clone() })
            }
            Statement::Explain(explain) => {
                let rows = self.run_explain(explain, prepared, &parameters).await?;
                Ok(Outcome::Rows { rows, tag: "EXPLAIN", counted: false, binary: false })
            }
            Statement::Declare(declare) => self.declare(declare, prepared, &parameters).await,
            Statement::Fetch(fetch) => self.fetch(fetch).await,
            Statement::Execute { name, arguments } => {
                let named = self.prepared(name)?;
                Box::pin(self.execute_named(named, arguments, &prepared.text)).await
            }
            other => {
                let record = self.record(&prepared.text, None).await?;
                let outcome = self.utility(other).await;
                match &outcome {
                    Ok(_) => record.succeeded(),
                    Err(problem) => record.failed(problem),
                }
                outcome
            }
        }
    }

    /// Statements that only touch the session.
    async fn utility(&mut self, statement: &Statement) -> Result<Outcome> {
        let tag = match statement {
            Statement::Show(name) => return self.show(name),
            Statement::ShowAll => return self.show_all(),
            Statement::Set { name, value, local } => self.set_statement(name, value, *local)?,
            Statement::Reset(name) => {
                let in_transaction = self.transaction.is_open();
                self.settings.reset(name, in_transaction)?;
                self.forget_view();
                "RESET"
            }
            Statement::ResetAll => {
                self.settings.reset_all();
                self.forget_view();
                "RESET"
            }
            Statement::Discard(what) => self.discard(*what)?,
            Statement::Characteristics { settings, session } => {
                if !session && !self.transaction.is_open() {
                    let message = "SET TRANSACTION can only be used in transaction blocks";
                    self.notice(Notice::warning(ErrorKind::NoActiveTransaction, message));
                }
                self.characteristics(settings, *session)?;
                "SET"
            }
            Statement::Begin { settings, tag } => {
                self.begin()?;
                self.characteristics(settings, false)?;
                tag
            }
            Statement::Commit { chain } => self.end(true, *chain),
            Statement::Rollback { chain } => self.end(false, *chain),
            Statement::Savepoint(_) | Statement::Release(_) | Statement::RollbackTo(_) => self.savepoint(statement)?,
            Statement::Close(name) => self.close_cursor(name.as_deref())?,
            Statement::Deallocate(name) => self.deallocate(name.as_deref())?,
            Statement::Prepare { name, types, query, text } => {
                self.prepare_named(name, types, query, text).await?;
                "PREPARE"
            }
            Statement::Accepted(tag) => tag,
            Statement::Refused(command) => return Err(error::read_only(command)),
            Statement::Select(_)
            | Statement::Ask(_)
            | Statement::Copy { .. }
            | Statement::Explain(_)
            | Statement::Declare(_)
            | Statement::Fetch(_)
            | Statement::Execute { .. } => return Err(Problem::new(ErrorKind::Internal, "no utility statement")),
        };
        Ok(Outcome::Command(tag.to_owned()))
    }

    fn show(&mut self, name: &str) -> Result<Outcome> {
        let (name, value) = self.settings.show(name)?;
        let rows = text_rows(&[&name], vec![vec![value]])?;
        Ok(Outcome::Rows { rows, tag: "SHOW", counted: false, binary: false })
    }

    fn show_all(&mut self) -> Result<Outcome> {
        let settings = self.settings.views();
        let names = settings.iter().map(|setting| setting.name.clone()).collect();
        let values = settings.iter().map(|setting| setting.value.clone()).collect();
        let descriptions = settings.iter().map(|setting| setting.category.to_owned()).collect();
        let rows = text_rows(SHOW_ALL, vec![names, values, descriptions])?;
        Ok(Outcome::Rows { rows, tag: "SHOW", counted: false, binary: false })
    }

    fn set_statement(&mut self, name: &str, value: &SetValue, local: bool) -> Result<&'static str> {
        if local && !self.transaction.is_open() && !self.in_batch {
            let message = "SET LOCAL can only be used in transaction blocks";
            self.notice(Notice::warning(ErrorKind::NoActiveTransaction, message));
        }
        match value {
            SetValue::Value(value) => self.set(name, value, local)?,
            SetValue::Default => {
                let in_transaction = self.transaction.is_open();
                self.settings.reset(name, in_transaction)?;
                self.forget_view();
            }
        }
        Ok("SET")
    }

    fn characteristics(&mut self, settings: &[(&'static str, String)], session: bool) -> Result<()> {
        for (name, value) in settings {
            if session {
                self.set(&format!("default_{name}"), value, false)?;
            } else {
                self.set(name, value, true)?;
            }
        }
        Ok(())
    }

    fn discard(&mut self, what: Discard) -> Result<&'static str> {
        match what {
            Discard::Plans => Ok("DISCARD PLANS"),
            Discard::Sequences => Ok("DISCARD SEQUENCES"),
            Discard::Temp => Ok("DISCARD TEMP"),
            Discard::All => {
                if self.transaction.is_open() {
                    let message = "DISCARD ALL cannot run inside a transaction block";
                    return Err(Problem::new(ErrorKind::ActiveTransaction, message));
                }
                self.cursors.clear();
                self.prepared.clear();
                self.settings.reset_all();
                self.conversation = mantissa_ask::Conversation::default();
                self.forget_view();
                Ok("DISCARD ALL")
            }
        }
    }

    fn begin(&mut self) -> Result<()> {
        let now = self.gateway.parts.clock.now();
        if !self.transaction.begin(now) {
            let message = "there is already a transaction in progress";
            self.notice(Notice::warning(ErrorKind::ActiveTransaction, message));
        }
        self.forget_view();
        Ok(())
    }

    fn end(&mut self, commit: bool, chain: bool) -> &'static str {
        let ended = self.end_transaction(commit);
        if ended.is_none() {
            let message = "there is no transaction in progress";
            self.notice(Notice::warning(ErrorKind::NoActiveTransaction, message));
        } else if chain {
            self.transaction.begin(self.gateway.parts.clock.now());
        }
        if commit && ended != Some(false) { "COMMIT" } else { "ROLLBACK" }
    }

    fn savepoint(&mut self, statement: &Statement) -> Result<&'static str> {
        let Transaction { .. } = &self.transaction;
        let (done, command, tag) = match statement {
            Statement::Savepoint(name) => (self.transaction.savepoint(name).map(Ok), "SAVEPOINT", "SAVEPOINT"),
            Statement::Release(name) => (self.transaction.release(name), "RELEASE SAVEPOINT", "RELEASE"),
            Statement::RollbackTo(name) => (self.transaction.rollback_to(name), "ROLLBACK TO SAVEPOINT", "ROLLBACK"),
            _ => return Err(Problem::new(ErrorKind::Internal, "no savepoint statement")),
        };
        match done {
            Some(done) => done.map(|()| tag),
            // A batch is a block of its own, which ends with the batch: nothing outlives it.
            None if self.in_batch && matches!(statement, Statement::Savepoint(_)) => Ok(tag),
            None => Err(error::no_transaction(command)),
        }
    }

    async fn declare(&mut self, declare: &Declare, prepared: &Prepared, parameters: &[Value]) -> Result<Outcome> {
        if !declare.hold && !self.transaction.is_open() && !self.in_batch {
            return Err(error::no_transaction("DECLARE CURSOR"));
        }
        self.room_for_cursor(&declare.name)?;
        let rows = self.run_query(&declare.query, prepared, parameters).await?;
        let cursor = Cursor::new(declare, rows, self.gateway.parts.clock.now());
        self.cursors.insert(declare.name.clone(), cursor);
        self.forget_view();
        Ok(Outcome::Command("DECLARE CURSOR".to_owned()))
    }

    async fn fetch(&mut self, fetch: &Fetch) -> Result<Outcome> {
        let cursor = self.cursors.get_mut(&fetch.cursor).ok_or_else(|| no_cursor(&fetch.cursor))?;
        let batches = cursor.fetch(fetch.direction).await?;
        if fetch.only_move {
            let moved: usize = batches.iter().map(RecordBatch::num_rows).sum();
            return Ok(Outcome::Command(format!("MOVE {moved}")));
        }
        let rows = Rows::from_batches(Arc::clone(&cursor.fields), batches);
        Ok(Outcome::Rows { rows, tag: "FETCH", counted: true, binary: cursor.binary })
    }

    fn close_cursor(&mut self, name: Option<&str>) -> Result<&'static str> {
        self.forget_view();
        match name {
            None => {
                self.cursors.clear();
                Ok("CLOSE CURSOR ALL")
            }
            Some(name) => {
                self.cursors.remove(name).ok_or_else(|| no_cursor(name))?;
                Ok("CLOSE CURSOR")
            }
        }
    }

    fn deallocate(&mut self, name: Option<&str>) -> Result<&'static str> {
        match name {
            None => {
                self.prepared.clear();
                self.forget_view();
                Ok("DEALLOCATE ALL")
            }
            Some(name) => {
                self.prepared(name)?;
                self.close_prepared(name);
                Ok("DEALLOCATE")
            }
        }
    }

    async fn prepare_named(
        &mut self,
        name: &str,
        types: &[PgType],
        query: &dialects::ast::Query,
        text: &str,
    ) -> Result<()> {
        let statement = Arc::new(Statement::Select(Box::new(query.clone())));
        let parsed = Parsed { statement, text: text.into(), offset: 0 };
        let prepared = self.describe(parsed, types).await?;
        self.put_named(name, prepared, true)
    }

    async fn execute_named(
        &mut self,
        named: Prepared,
        arguments: &[dialects::ast::Expr],
        text: &Arc<str>,
    ) -> Result<Outcome> {
        let expected = named.parameters().len();
        if arguments.len() != expected {
            let message = "wrong number of parameters for prepared statement";
            return Err(Problem::new(ErrorKind::SyntaxError, message)
                .detail(format!("Expected {expected} parameters but got {}.", arguments.len())));
        }
        let Statement::Select(query) = named.statement.as_ref() else {
            return self.dispatch(&named, Vec::new()).await;
        };
        let mut bound = (**query).clone();
        let typed: Vec<_> = arguments
            .iter()
            .zip(named.parameters())
            .map(|(argument, ty)| crate::values::cast_to(argument, *ty))
            .collect();
        dialects::bind_parameters(&mut bound, &typed).map_err(mantissa_guard::problem)?;
        let statement = Arc::new(Statement::Select(Box::new(bound)));
        let shape = Shape::new(named.shape.parameters.clone(), named.shape.fields.clone());
        let prepared = Prepared { statement, text: Arc::clone(text), offset: 0, shape: Arc::new(shape) };
        self.dispatch(&prepared, Vec::new()).await
    }

    /// Opens the audit row of a statement.
    pub(crate) async fn record(&mut self, text: &str, question: Option<&str>) -> Result<Record> {
        let parts = &self.gateway.parts;
        let start = mantissa_store::AuditStart {
            at: parts.clock.now(),
            user: self.identity.user.clone(),
            client_addr: self.client_text(),
            application: (!self.application_name.is_empty()).then(|| self.application_name.clone()),
            database: self.database.name.clone(),
            session_id: Some(self.pid().to_string()),
            statement: text.to_owned(),
            question: question.map(str::to_owned),
        };
        Record::begin(&parts.store, &parts.clock, start).await
    }
}

const SHOW_ALL: &[&str] = &["name", "setting", "description"];

fn no_cursor(name: &str) -> Problem {
    Problem::new(ErrorKind::UndefinedCursor, format!("cursor \"{name}\" does not exist"))
}

fn text_fields(names: &[&str]) -> Arc<[Field]> {
    names.iter().map(|name| Field::new(*name, PgType::TEXT)).collect()
}

/// Rows of text columns, given column by column.
pub(crate) fn text_rows(names: &[&str], columns: Vec<Vec<String>>) -> Result<Rows> {
    let fields: Vec<_> = names.iter().map(|name| arrow::datatypes::Field::new(*name, DataType::Utf8, true)).collect();
    let arrays: Vec<ArrayRef> =
        columns.into_iter().map(|column| Arc::new(StringArray::from(column)) as ArrayRef).collect();
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)
        .map_err(|error| Problem::new(ErrorKind::Internal, "cannot make these rows").caused_by(error))?;
    Ok(Rows::from_batches(text_fields(names), vec![batch]))
}
