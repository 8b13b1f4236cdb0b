//! The wrapping of an engine's rows: cancellation, time limit, row ceiling and the end of the audit row.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use arrow::record_batch::RecordBatch;
use futures::Stream;
use futures::future::BoxFuture;
use mantissa_core::{ErrorKind, Problem, RowStream};
use parking_lot::Mutex;
use tokio::time::{Instant, Sleep};
use tokio_util::sync::CancellationToken;

use crate::audit::Record;
use crate::error;
use crate::outcome::{Notice, Result};

/// Notices waiting to be sent; a stream adds to them after the session has handed it out.
pub(crate) type Notices = Arc<Mutex<Vec<Notice>>>;

/// What ends a running statement early.
#[derive(Clone)]
pub(crate) struct Leash {
    pub statement: CancellationToken,
    pub connection: CancellationToken,
    pub deadline: Instant,
}

impl Leash {
    pub fn new(statement: CancellationToken, connection: CancellationToken, timeout: Duration) -> Self {
        Self { statement, connection, deadline: Instant::now() + timeout }
    }

    /// Runs `work` unless it is cancelled or out of time first.
    pub async fn hold<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::select! {
            biased;
            result = work => result,
            () = self.statement.cancelled() => Err(self.reason()),
            () = tokio::time::sleep_until(self.deadline) => {
                self.statement.cancel();
                Err(error::timed_out())
            }
        }
    }

    fn reason(&self) -> Problem {
        if self.connection.is_cancelled() { error::terminated() } else { error::canceled_by_user() }
    }
}

/// Rows under a [`Leash`], cut off at a ceiling.
pub(crate) struct Leashed {
    inner: Option<RowStream>,
    leash: Leash,
    canceled: BoxFuture<'static, ()>,
    timer: Pin<Box<Sleep>>,
    left: u64,
    ceiling: u64,
    notices: Notices,
    record: Option<Record>,
}

impl Leashed {
    pub fn new(inner: RowStream, leash: Leash, ceiling: u64, notices: Notices, record: Record) -> Self {
        let token = leash.statement.clone();
        Self {
            inner: Some(inner),
            canceled: Box::pin(token.cancelled_owned()),
            timer: Box::pin(tokio::time::sleep_until(leash.deadline)),
            leash,
            left: ceiling,
            ceiling,
            notices,
            record: Some(record),
        }
    }

    fn fail(&mut self, problem: Problem) -> Poll<Option<Result<RecordBatch>>> {
        self.inner = None;
        self.leash.statement.cancel();
        if let Some(record) = self.record.take() {
            record.failed(&problem);
        }
        Poll::Ready(Some(Err(problem)))
    }

    fn finish(&mut self) {
        self.inner = None;
        if let Some(record) = self.record.take() {
            record.succeeded();
        }
    }

    fn reached_ceiling(&self) {
        let mut notice = Notice::warning(
            ErrorKind::CostLimitExceeded,
            format!("result cut off at {} rows, the limit of this session", self.ceiling),
        );
        notice.severity = "NOTICE";
        notice.hint =
            Some("Aggregate, narrow the time range, or SET mantissa.max_rows up to your role's ceiling.".into());
        self.notices.lock().push(notice);
    }
}

impl Stream for Leashed {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(inner) = self.inner.as_mut() else { return Poll::Ready(None) };
        let polled = inner.as_mut().poll_next(context);
        if self.canceled.as_mut().poll(context).is_ready() {
            let reason = self.leash.reason();
            return self.fail(reason);
        }
        if self.timer.as_mut().poll(context).is_ready() {
            return self.fail(error::timed_out());
        }
        match polled {
            Poll::Pending => Poll::Pending,
            Poll::Ready(None) => {
                self.finish();
                Poll::Ready(None)
            }
            Poll::Ready(Some(Err(problem))) => self.fail(problem),
            Poll::Ready(Some(Ok(batch))) => {
                let rows = batch.num_rows() as u64;
                let allowed = rows.min(self.left);
                self.left -= allowed;
                let batch = if allowed < rows { batch.slice(0, allowed as usize) } else { batch };
                if let Some(record) = self.record.as_mut() {
                    record.add(&batch);
                }
                if allowed < rows {
                    self.reached_ceiling();
                    self.finish();
                }
                Poll::Ready(Some(Ok(batch)))
            }
        }
    }
}

impl Drop for Leashed {
    fn drop(&mut self) {
        if self.inner.take().is_some() {
            self.leash.statement.cancel();
        }
        if let Some(record) = self.record.take() {
            record.abandoned();
        }
    }
}
