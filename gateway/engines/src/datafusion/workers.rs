//! The threads that queries run on, apart from those that serve connections.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use arrow::record_batch::RecordBatch;
use futures::StreamExt;
use mantissa_core::{ErrorKind, Problem, RowStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::Error;

/// Batches that wait between the query and its reader: the reader's pace holds the query back.
const AHEAD: usize = 2;

/// A runtime of its own for work that keeps a processor busy.
#[derive(Debug)]
pub(crate) struct Workers {
    runtime: Option<Runtime>,
}

impl Workers {
    pub(crate) fn new(threads: usize) -> Result<Self, Error> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(threads.max(1))
            .thread_name("query")
            .enable_all()
            .build()
            .map_err(Error::Runtime)?;
        Ok(Self { runtime: Some(runtime) })
    }

    /// Runs `work` on the query threads; dropping the result stops it at its next pause.
    fn spawn<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> Result<Task<T>, Error> {
        let runtime = self.runtime.as_ref().ok_or(Error::Stopped)?;
        Ok(Task(runtime.spawn(work)))
    }

    /// Runs `work` to its end, or until `cancel` fires.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        cancel: &CancellationToken,
        work: impl Future<Output = Result<T, Problem>> + Send + 'static,
    ) -> Result<T, Problem> {
        let task = self.spawn(work)?;
        tokio::select! {
            biased;
            () = cancel.cancelled() => Err(canceled()),
            done = task => done?,
        }
    }

    /// Produces rows on the query threads as they are asked for.
    pub(crate) fn stream(&self, cancel: CancellationToken, mut rows: RowStream) -> Result<RowStream, Problem> {
        let (sender, receiver) = mpsc::channel::<Result<RecordBatch, Problem>>(AHEAD);
        let pump = self.spawn(async move {
            loop {
                let batch = tokio::select! {
                    biased;
                    () = cancel.cancelled() => Some(Err(canceled())),
                    batch = rows.next() => batch,
                };
                let Some(batch) = batch else { return };
                let is_last = batch.is_err();
                if is_last {
                    drop(std::mem::replace(&mut rows, Box::pin(futures::stream::empty())));
                }
                if sender.send(batch).await.is_err() || is_last {
                    return;
                }
            }
        })?;
        Ok(Box::pin(futures::stream::unfold(Some((receiver, pump)), |state| async {
            let (mut receiver, pump) = state?;
            match receiver.recv().await {
                Some(batch) => Some((batch, Some((receiver, pump)))),
                // The channel also closes when the work panics; only its handle tells.
                None => pump.await.err().map(|problem| (Err(problem), None)),
            }
        })))
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// `canceling statement due to user request`. Whoever set a timer knows better and says so.
pub(crate) fn canceled() -> Problem {
    Problem::new(ErrorKind::QueryCanceled, "canceling statement due to user request")
}

/// Work that stops when nobody waits for it any more.
struct Task<T>(JoinHandle<T>);

impl<T> Future for Task<T> {
    type Output = Result<T, Problem>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map_err(|error| {
            tracing::error!(%error, "query work ended abnormally");
            Problem::from(Error::Stopped)
        })
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
