//! Portals of the extended protocol: statements bound to parameters, run in pieces.

use std::collections::BTreeMap;
use std::sync::Arc;

use mantissa_core::{ErrorKind, Field, Problem, Value};
use mantissa_query::Prepared;

use crate::rows::{Formats, Pump};

/// Named portals that one connection may hold.
const MAX_PORTALS: usize = 1_000;

pub(crate) struct Portal {
    /// `None` for an empty query string.
    pub prepared: Option<Prepared>,
    pub formats: Formats,
    pub state: PortalState,
}

pub(crate) enum PortalState {
    /// Bound and not run yet.
    Bound(Vec<Value>),
    /// Suspended by a row limit. Dropping it stops the engine.
    Open { pump: Box<Pump>, tag: &'static str, counted: bool },
    /// Ran to its end; a result that has been read is empty from now on.
    Finished { tag: &'static str, counted: bool },
    /// Ran and cannot run again.
    Used,
}

impl Portal {
    pub fn fields(&self) -> Option<&Arc<[Field]>> {
        match &self.state {
            PortalState::Open { pump, .. } => Some(&pump.fields),
            _ => self.prepared.as_ref().and_then(Prepared::fields),
        }
    }
}

/// The portals of one connection. The unnamed one has its own place: most clients use no other.
#[derive(Default)]
pub(crate) struct Portals {
    unnamed: Option<Portal>,
    named: BTreeMap<String, Portal>,
}

impl Portals {
    /// # Errors
    /// `DuplicateCursor` where the name is taken; the unnamed portal is replaced.
    pub fn put(&mut self, name: &str, portal: Portal) -> Result<(), Problem> {
        if name.is_empty() {
            self.unnamed = Some(portal);
            return Ok(());
        }
        if self.named.contains_key(name) {
            return Err(Problem::new(ErrorKind::DuplicateCursor, format!("cursor \"{name}\" already exists")));
        }
        if self.named.len() >= MAX_PORTALS {
            return Err(Problem::new(ErrorKind::ProgramLimitExceeded, "too many portals in this session"));
        }
        self.named.insert(name.to_owned(), portal);
        Ok(())
    }

    pub fn get(&self, name: &str) -> Option<&Portal> {
        if name.is_empty() { self.unnamed.as_ref() } else { self.named.get(name) }
    }

    pub fn get_mut(&mut self, name: &str) -> Option<&mut Portal> {
        if name.is_empty() { self.unnamed.as_mut() } else { self.named.get_mut(name) }
    }

    pub fn close(&mut self, name: &str) {
        if name.is_empty() {
            self.unnamed = None;
        } else {
            self.named.remove(name);
        }
    }

    pub fn close_all(&mut self) {
        self.unnamed = None;
        self.named.clear();
    }

    /// After an error: results are given up, names stay, as in a failed transaction of Postgres.
    pub fn abandon(&mut self) {
        for portal in self.unnamed.iter_mut().chain(self.named.values_mut()) {
            portal.state = PortalState::Used;
        }
    }
}

pub(crate) fn undefined(name: &str) -> Problem {
    Problem::new(ErrorKind::UndefinedCursor, format!("portal \"{name}\" does not exist"))
}
