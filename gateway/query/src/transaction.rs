//! The transaction state of a session. Everything is read-only, so a transaction holds no data: it holds settings,
//! cursors, and the promise that after an error nothing runs until it ends.

use chrono::{DateTime, Utc};
use mantissa_core::{ErrorKind, Problem};

use crate::outcome::{Result, TransactionStatus};

#[derive(Debug, Default)]
pub(crate) struct Transaction {
    block: Option<Block>,
}

#[derive(Debug)]
struct Block {
    started: DateTime<Utc>,
    failed: bool,
    savepoints: Vec<String>,
}

impl Transaction {
    pub fn status(&self) -> TransactionStatus {
        match &self.block {
            None => TransactionStatus::Idle,
            Some(block) if block.failed => TransactionStatus::Failed,
            Some(_) => TransactionStatus::InTransaction,
        }
    }

    pub fn is_open(&self) -> bool {
        self.block.is_some()
    }

    pub fn started(&self) -> Option<DateTime<Utc>> {
        self.block.as_ref().map(|block| block.started)
    }

    /// Opens a block. False where one is open already.
    pub fn begin(&mut self, now: DateTime<Utc>) -> bool {
        if self.block.is_some() {
            return false;
        }
        self.block = Some(Block { started: now, failed: false, savepoints: Vec::new() });
        true
    }

    /// Ends the block. `Some(committed)` where one was open: a failed block never commits.
    pub fn end(&mut self, commit: bool) -> Option<bool> {
        self.block.take().map(|block| commit && !block.failed)
    }

    pub fn fail(&mut self) {
        if let Some(block) = &mut self.block {
            block.failed = true;
        }
    }

    /// `None` outside a block.
    pub fn savepoint(&mut self, name: &str) -> Option<()> {
        self.block.as_mut().map(|block| block.savepoints.push(name.to_owned()))
    }

    pub fn release(&mut self, name: &str) -> Option<Result<()>> {
        self.block.as_mut().map(|block| {
            let at = find(&block.savepoints, name)?;
            block.savepoints.truncate(at);
            Ok(())
        })
    }

    /// Goes back to a savepoint, which mends a failed block.
    pub fn rollback_to(&mut self, name: &str) -> Option<Result<()>> {
        self.block.as_mut().map(|block| {
            let at = find(&block.savepoints, name)?;
            block.savepoints.truncate(at + 1);
            block.failed = false;
            Ok(())
        })
    }
}

fn find(savepoints: &[String], name: &str) -> Result<usize> {
    savepoints
        .iter()
        .rposition(|savepoint| savepoint == name)
        .ok_or_else(|| Problem::new(ErrorKind::InvalidSavepoint, format!("savepoint \"{name}\" does not exist")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_savepoint_mends_a_failed_block() {
        let mut transaction = Transaction::default();
        assert!(transaction.savepoint("s").is_none());
        assert!(transaction.begin(DateTime::UNIX_EPOCH));
        assert!(!transaction.begin(DateTime::UNIX_EPOCH));
        transaction.savepoint("s").unwrap();
        transaction.fail();
        assert_eq!(transaction.status(), TransactionStatus::Failed);
        assert!(transaction.rollback_to("missing").unwrap().is_err());
        transaction.rollback_to("s").unwrap().unwrap();
        assert_eq!(transaction.status(), TransactionStatus::InTransaction);
        transaction.release("s").unwrap().unwrap();
        assert!(transaction.release("s").unwrap().is_err());
        transaction.fail();
        assert_eq!(transaction.end(true), Some(false));
        assert_eq!(transaction.end(true), None);
    }
}
