//! The life of one logged-in connection: wait for a message, answer it, and tell the client where things stand.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use mantissa_core::{ErrorKind, Problem, Value};
use mantissa_query::{Outcome, Prepared, Session, TransactionStatus};
use tokio_util::sync::CancellationToken;

use crate::backend::{self, Severity};
use crate::encode::{Format, Style};
use crate::error::{Interrupt, Stop};
use crate::frontend::{Frame, Message};
use crate::portal::Portals;
use crate::rows::{Formats, Pump, copy_out};
use crate::transport::{FLUSH_AT, Transport, terminated};

/// What of the configuration a running connection needs.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    pub max_message_bytes: usize,
    pub idle_session_timeout: Option<Duration>,
}

pub(crate) struct Connection<'a> {
    pub transport: &'a mut Transport,
    pub session: Box<Session>,
    pub portals: Portals,
    /// Prepared statements that are empty query strings: the session has no statement for them.
    pub empty_statements: BTreeSet<String>,
    /// An error of the extended protocol: everything up to Sync is dropped.
    skipping: bool,
    /// The client waits for what has been gathered.
    flush_wanted: bool,
    closing: CancellationToken,
    /// The server takes no new statements.
    draining: CancellationToken,
    limits: Arc<Limits>,
}

impl<'a> Connection<'a> {
    pub fn new(
        transport: &'a mut Transport,
        session: Box<Session>,
        draining: CancellationToken,
        limits: Arc<Limits>,
    ) -> Self {
        let closing = session.closing().clone();
        Self {
            transport,
            session,
            portals: Portals::default(),
            empty_statements: BTreeSet::new(),
            skipping: false,
            flush_wanted: true,
            closing,
            draining,
            limits,
        }
    }

    /// Serves until the connection ends.
    pub async fn run(mut self) -> Stop {
        loop {
            if let Err(stop) = self.step().await {
                return stop;
            }
        }
    }

    async fn step(&mut self) -> Result<(), Stop> {
        let frame = match self.transport.buffered_frame(self.limits.max_message_bytes)? {
            Some(frame) => frame,
            None => self.next_frame().await?,
        };
        self.handle(frame).await?;
        if self.transport.output.len() >= FLUSH_AT {
            self.transport.flush(&self.closing).await?;
        }
        Ok(())
    }

    /// Answers of all messages that came together leave together, before the next read.
    async fn next_frame(&mut self) -> Result<Frame, Stop> {
        if self.flush_wanted {
            self.transport.flush(&self.closing).await?;
            self.flush_wanted = false;
        }
        self.transport.shrink();
        let idle = self.session.status() == TransactionStatus::Idle && !self.transport.is_mid_message();
        let timeout = self.limits.idle_session_timeout.filter(|_| idle);
        let draining = self.draining.clone();
        tokio::select! {
            biased;
            frame = self.transport.frame(self.limits.max_message_bytes) => frame,
            () = self.closing.cancelled() => Err(terminated()),
            () = draining.cancelled(), if idle => Err(terminated()),
            () = async { tokio::time::sleep(timeout.unwrap_or_default()).await }, if timeout.is_some() => {
                Err(Stop::fatal(ErrorKind::IdleSessionTimeout, "terminating connection due to idle-session timeout"))
            }
        }
    }

    async fn handle(&mut self, frame: Frame) -> Result<(), Stop> {
        if self.skipping && !matches!(frame.kind, b'S' | b'X') {
            return Ok(());
        }
        let kind = frame.kind;
        let handled = match frame.decode() {
            Ok(message) => self.answer_message(message).await,
            Err(problem) => Err(problem.into()),
        };
        match handled {
            Ok(()) => Ok(()),
            Err(Interrupt::Stop(stop)) => Err(stop),
            Err(Interrupt::Problem(problem)) => {
                self.fail(&problem);
                // A simple query is over with its error; of the extended protocol the rest is dropped.
                if matches!(kind, b'Q' | b'F' | b'S') {
                    self.ready();
                } else {
                    // The client may wait for the error before it sends Sync.
                    self.skipping = true;
                    self.flush_wanted = true;
                }
                Ok(())
            }
        }
    }

    // The long paths are boxed, so that an idle connection does not hold their state.
    async fn answer_message(&mut self, message: Message) -> Result<(), Interrupt> {
        match message {
            Message::Query(sql) => {
                Box::pin(self.simple_query(&sql)).await?;
                self.ready();
                Ok(())
            }
            Message::Parse { name, sql, types } => Box::pin(self.parse(&name, &sql, &types)).await,
            Message::Bind(bind) => self.bind(bind),
            Message::DescribeStatement(name) => self.describe_statement(&name),
            Message::DescribePortal(name) => self.describe_portal(&name),
            Message::Execute { portal, max_rows } => Box::pin(self.execute_portal(&portal, max_rows)).await,
            Message::CloseStatement(name) => {
                self.empty_statements.remove(&name);
                self.session.close_prepared(&name);
                backend::close_complete(&mut self.transport.output);
                Ok(())
            }
            Message::ClosePortal(name) => {
                self.portals.close(&name);
                backend::close_complete(&mut self.transport.output);
                Ok(())
            }
            Message::Flush => {
                self.flush_wanted = true;
                Ok(())
            }
            Message::Sync => {
                self.skipping = false;
                self.ready();
                Ok(())
            }
            Message::Terminate => Err(Stop::Goodbye.into()),
            Message::Copy => Ok(()),
            Message::FunctionCall => {
                Err(Problem::new(ErrorKind::FeatureNotSupported, "fastpath function calls are not supported")
                    .hint("Call the function in a SELECT.")
                    .into())
            }
            Message::Password(_) => {
                Err(Stop::fatal(ErrorKind::ProtocolViolation, "unexpected password message").into())
            }
        }
    }

    /// The end of a cycle: implicit transactions end, and the client may speak again.
    fn ready(&mut self) {
        self.session.finish_implicit();
        if self.session.status() == TransactionStatus::Idle {
            self.portals.close_all();
        }
        self.send_notices();
        for (name, value) in self.session.take_parameter_changes() {
            backend::parameter_status(name, &value, &mut self.transport.output);
        }
        backend::ready(self.session.status(), &mut self.transport.output);
        self.flush_wanted = true;
    }

    fn fail(&mut self, problem: &Problem) {
        self.session.fail(problem);
        self.portals.abandon();
        self.send_notices();
        backend::error(problem, Severity::Error, &mut self.transport.output);
    }

    pub fn send_notices(&mut self) {
        for notice in self.session.take_notices() {
            backend::notice(&notice, &mut self.transport.output);
        }
    }

    /// Runs a statement up to its first row. A client that hangs up meanwhile stops it.
    pub async fn execute(&mut self, prepared: &Prepared, parameters: Vec<Value>) -> Result<Outcome, Interrupt> {
        if let Some((name, rows)) = prepared.moves_forward()
            && self.session.cursor_fields(name).is_none()
            && self.portals.get(name).is_some()
        {
            return Box::pin(self.move_portal(name, rows)).await;
        }
        let before = self.session.status();
        let outcome = self.transport.attend(self.session.execute(prepared, parameters)).await??;
        if before != TransactionStatus::Idle && self.session.status() == TransactionStatus::Idle {
            self.portals.close_all();
        }
        self.send_notices();
        Ok(outcome)
    }

    pub fn style(&self) -> Style {
        Style::from(&self.session.output())
    }

    /// Runs a batch of statements; the first error ends it.
    async fn simple_query(&mut self, sql: &str) -> Result<(), Interrupt> {
        self.portals.close("");
        self.empty_statements.remove("");
        self.session.close_prepared("");
        let batch = self.session.parse(sql)?;
        if batch.is_empty() {
            backend::empty_query(&mut self.transport.output);
        }
        for parsed in batch {
            let prepared = parsed.undescribed();
            let outcome = self.execute(&prepared, Vec::new()).await?;
            self.send_outcome(outcome).await?;
        }
        Ok(())
    }

    async fn send_outcome(&mut self, outcome: Outcome) -> Result<(), Interrupt> {
        match outcome {
            Outcome::Rows { rows, tag, counted, binary } => {
                let format = if binary { Format::Binary } else { Format::Text };
                backend::row_description(&rows.fields, |_| format, &mut self.transport.output);
                let mut pump = Pump::new(rows, Formats::All(format));
                let style = self.style();
                let (sent, _) = pump.send(usize::MAX, &style, self.transport, &self.closing).await?;
                drop(pump);
                self.complete(tag, counted, sent as u64);
            }
            Outcome::CopyOut { rows, format } => self.send_copy(rows, format).await?,
            Outcome::Command(tag) => backend::command_complete(&tag, &mut self.transport.output),
            Outcome::Empty => backend::empty_query(&mut self.transport.output),
        }
        Ok(())
    }

    pub async fn send_copy(
        &mut self,
        rows: mantissa_core::Rows,
        format: mantissa_query::CopyFormat,
    ) -> Result<(), Interrupt> {
        let style = self.style();
        let sent = copy_out(rows, format, &style, self.transport, &self.closing).await?;
        self.complete("COPY", true, sent);
        Ok(())
    }

    pub fn complete(&mut self, tag: &str, counted: bool, rows: u64) {
        self.send_notices();
        if counted {
            backend::rows_complete(tag, rows, &mut self.transport.output);
        } else {
            backend::command_complete(tag, &mut self.transport.output);
        }
    }

    pub fn closing(&self) -> &CancellationToken {
        &self.closing
    }
}
