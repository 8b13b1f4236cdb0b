//! The extended protocol: Parse, Bind, Describe, Execute.

use std::sync::Arc;

use mantissa_core::{ErrorKind, Field, PgType, Problem};
use mantissa_query::{Outcome, Prepared, TransactionStatus};

use crate::backend;
use crate::connection::Connection;
use crate::decode;
use crate::encode::Format;
use crate::error::Interrupt;
use crate::frontend::Bind;
use crate::portal::{Portal, PortalState, undefined};
use crate::rows::{Formats, Pump};

impl Connection<'_> {
    pub async fn parse(&mut self, name: &str, sql: &str, types: &[PgType]) -> Result<(), Interrupt> {
        if name.is_empty() {
            self.session.close_prepared("");
            self.empty_statements.remove("");
        } else if self.empty_statements.contains(name) {
            return Err(duplicate(name).into());
        }
        let mut batch = self.session.parse(sql)?;
        match (batch.pop(), batch.is_empty()) {
            (None, _) => {
                if self.session.prepared(name).is_ok() {
                    return Err(duplicate(name).into());
                }
                self.empty_statements.insert(name.to_owned());
            }
            (Some(parsed), true) => {
                let prepared = self.transport.attend(self.session.prepare(parsed, types)).await??;
                self.session.put_prepared(name, prepared)?;
            }
            (Some(_), false) => {
                let message = "cannot insert multiple commands into a prepared statement";
                return Err(Problem::new(ErrorKind::SyntaxError, message).into());
            }
        }
        backend::parse_complete(&mut self.transport.output);
        Ok(())
    }

    pub fn bind(&mut self, bind: Bind) -> Result<(), Interrupt> {
        let portal = if self.empty_statements.contains(&bind.statement) {
            decode::parameters(&bind, &[], &self.style())?;
            Portal { prepared: None, formats: Formats::All(Format::Text), state: PortalState::Bound(Vec::new()) }
        } else {
            let prepared = self.session.prepared(&bind.statement)?;
            let values = match prepared.parameters() {
                [] if bind.parameters.is_empty() => Vec::new(),
                types => decode::parameters(&bind, types, &self.style())?,
            };
            let columns = prepared.fields().map_or(0, |fields| fields.len());
            let formats = Formats::of_bind(bind.result_formats, columns)?;
            Portal { prepared: Some(prepared), formats, state: PortalState::Bound(values) }
        };
        if !bind.portal.is_empty() && self.session.cursor_fields(&bind.portal).is_some() {
            let message = format!("cursor \"{}\" already exists", bind.portal);
            return Err(Problem::new(ErrorKind::DuplicateCursor, message).into());
        }
        self.portals.put(&bind.portal, portal)?;
        backend::bind_complete(&mut self.transport.output);
        Ok(())
    }

    pub fn describe_statement(&mut self, name: &str) -> Result<(), Interrupt> {
        if self.empty_statements.contains(name) {
            backend::parameter_description(&[], &mut self.transport.output);
            backend::no_data(&mut self.transport.output);
            return Ok(());
        }
        let prepared = self.session.prepared(name)?;
        backend::parameter_description(prepared.parameters(), &mut self.transport.output);
        match prepared.fields() {
            Some(fields) => backend::row_description(fields, |_| Format::Text, &mut self.transport.output),
            None => backend::no_data(&mut self.transport.output),
        }
        Ok(())
    }

    pub fn describe_portal(&mut self, name: &str) -> Result<(), Interrupt> {
        let output = &mut self.transport.output;
        if let Some(portal) = self.portals.get(name) {
            match portal.fields() {
                Some(fields) => backend::row_description(fields, |column| portal.formats.get(column), output),
                None => backend::no_data(output),
            }
            return Ok(());
        }
        // A cursor that DECLARE opened is a portal too.
        let (fields, binary) = self.session.cursor_fields(name).ok_or_else(|| undefined(name))?;
        let format = if binary { Format::Binary } else { Format::Text };
        backend::row_description(&fields, |_| format, output);
        Ok(())
    }

    pub async fn execute_portal(&mut self, name: &str, max_rows: usize) -> Result<(), Interrupt> {
        let portal = self.portals.get_mut(name).ok_or_else(|| undefined(name))?;
        let Some(prepared) = portal.prepared.clone() else {
            backend::empty_query(&mut self.transport.output);
            return Ok(());
        };
        let formats = portal.formats.clone();
        match std::mem::replace(&mut portal.state, PortalState::Used) {
            PortalState::Bound(values) => {
                let outcome = self.execute(&prepared, values).await?;
                self.send_first(name, &prepared, outcome, formats, max_rows).await
            }
            _ if self.session.status() == TransactionStatus::Failed => {
                let message = "current transaction is aborted, commands ignored until end of transaction block";
                Err(Problem::new(ErrorKind::InFailedTransaction, message).into())
            }
            PortalState::Open { pump, tag, counted } => self.send_rows(name, pump, tag, counted, max_rows).await,
            PortalState::Finished { tag, counted } => {
                self.keep(name, PortalState::Finished { tag, counted });
                self.complete(tag, counted, 0);
                Ok(())
            }
            PortalState::Used => {
                Err(Problem::new(ErrorKind::InvalidCursorState, format!("portal \"{name}\" cannot be run")).into())
            }
        }
    }

    /// MOVE over a portal of this protocol: in Postgres cursors and portals are one thing, and drivers skip rows this way.
    pub async fn move_portal(&mut self, name: &str, rows: usize) -> Result<Outcome, Interrupt> {
        let portal = self.portals.get_mut(name).ok_or_else(|| undefined(name))?;
        let (prepared, formats) = (portal.prepared.clone(), portal.formats.clone());
        let state = std::mem::replace(&mut portal.state, PortalState::Used);
        let (mut pump, tag, counted) = match (state, prepared) {
            (PortalState::Open { pump, tag, counted }, _) => (pump, tag, counted),
            (PortalState::Bound(values), Some(prepared)) => {
                let ran = self.transport.attend(self.session.execute(&prepared, values)).await??;
                let Outcome::Rows { rows, tag, counted, binary: _ } = ran else {
                    return Ok(Outcome::Command("MOVE 0".to_owned()));
                };
                check_shape(&prepared, &rows.fields)?;
                (Box::new(Pump::new(rows, formats)), tag, counted)
            }
            (finished, _) => {
                self.keep(name, finished);
                return Ok(Outcome::Command("MOVE 0".to_owned()));
            }
        };
        let (style, closing) = (self.style(), self.closing().clone());
        let moved = pump.skip(rows, &style, self.transport, &closing).await?;
        self.keep(name, PortalState::Open { pump, tag, counted });
        Ok(Outcome::Command(format!("MOVE {moved}")))
    }

    async fn send_first(
        &mut self,
        name: &str,
        prepared: &Prepared,
        outcome: Outcome,
        formats: Formats,
        max_rows: usize,
    ) -> Result<(), Interrupt> {
        match outcome {
            Outcome::Rows { rows, tag, counted, binary: _ } => {
                check_shape(prepared, &rows.fields)?;
                let pump = Box::new(Pump::new(rows, formats));
                self.send_rows(name, pump, tag, counted, max_rows).await
            }
            Outcome::CopyOut { rows, format } => self.send_copy(rows, format).await,
            Outcome::Command(tag) => {
                self.send_notices();
                backend::command_complete(&tag, &mut self.transport.output);
                Ok(())
            }
            Outcome::Empty => {
                backend::empty_query(&mut self.transport.output);
                Ok(())
            }
        }
    }

    /// Sends rows up to the limit. As in Postgres, a result of exactly `max_rows` rows is suspended, not complete.
    async fn send_rows(
        &mut self,
        name: &str,
        mut pump: Box<Pump>,
        tag: &'static str,
        counted: bool,
        max_rows: usize,
    ) -> Result<(), Interrupt> {
        let style = self.style();
        let closing = self.closing().clone();
        let (sent, ended) = pump.send(max_rows, &style, self.transport, &closing).await?;
        if ended {
            drop(pump);
            self.keep(name, PortalState::Finished { tag, counted });
            self.complete(tag, counted, sent as u64);
        } else {
            self.keep(name, PortalState::Open { pump, tag, counted });
            self.send_notices();
            backend::portal_suspended(&mut self.transport.output);
        }
        Ok(())
    }

    /// Puts a portal's state back, unless the statement itself ended the portal (COMMIT).
    fn keep(&mut self, name: &str, state: PortalState) {
        if let Some(portal) = self.portals.get_mut(name) {
            portal.state = state;
        }
    }
}

fn duplicate(name: &str) -> Problem {
    Problem::new(ErrorKind::DuplicatePreparedStatement, format!("prepared statement \"{name}\" already exists"))
}

/// A client reads rows by what Describe said of the statement: columns of other types would be misread.
fn check_shape(prepared: &Prepared, fields: &Arc<[Field]>) -> Result<(), Problem> {
    let types = |fields: &[Field]| fields.iter().map(|field| field.ty).collect::<Vec<_>>();
    match prepared.fields() {
        Some(described) if Arc::ptr_eq(described, fields) || types(described) == types(fields) => Ok(()),
        None if fields.is_empty() => Ok(()),
        _ => Err(Problem::new(ErrorKind::FeatureNotSupported, "cached plan must not change result type")),
    }
}
