//! A client's socket with its two buffers. Output is gathered and sent in large pieces; input is read only as far as it
//! is wanted.

use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::BytesMut;
use mantissa_core::{ErrorKind, Problem};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

use crate::backend::{self, Severity};
use crate::error::Stop;
use crate::frontend::{Frame, take_frame};

/// Output is sent once it has grown to this.
pub(crate) const FLUSH_AT: usize = 64 << 10;
/// What an idle connection keeps of each buffer.
const KEPT_CAPACITY: usize = 4 << 10;
const READ_SIZE: usize = 4 << 10;
/// Input that is read ahead while a statement runs: enough for any pipeline, little to hold.
const READ_AHEAD: usize = 64 << 10;
/// A farewell is not worth a longer wait.
const FAREWELL_TIMEOUT: Duration = Duration::from_secs(1);

pub(crate) enum Socket {
    Tcp(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    Unix(UnixStream),
}

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Socket::Tcp(stream) => Pin::new(stream).poll_read(cx, buf),
            Socket::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
            Socket::Unix(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Socket::Tcp(stream) => Pin::new(stream).poll_write(cx, buf),
            Socket::Tls(stream) => Pin::new(stream).poll_write(cx, buf),
            Socket::Unix(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Socket::Tcp(stream) => Pin::new(stream).poll_flush(cx),
            Socket::Tls(stream) => Pin::new(stream).poll_flush(cx),
            Socket::Unix(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Socket::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Socket::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
            Socket::Unix(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

pub(crate) struct Transport {
    socket: Socket,
    input: BytesMut,
    pub output: BytesMut,
    stalled_timeout: Duration,
}

impl Transport {
    pub fn new(socket: Socket, stalled_timeout: Duration) -> Self {
        Self { socket, input: BytesMut::new(), output: BytesMut::new(), stalled_timeout }
    }

    /// The next message that has already arrived whole.
    pub fn buffered_frame(&mut self, max_bytes: usize) -> Result<Option<Frame>, Stop> {
        take_frame(&mut self.input, max_bytes)
    }

    /// Whether a message has begun to arrive.
    pub fn is_mid_message(&self) -> bool {
        !self.input.is_empty()
    }

    /// Waits for the next message. Safe to drop at any point: what has been read stays.
    pub async fn frame(&mut self, max_bytes: usize) -> Result<Frame, Stop> {
        loop {
            if let Some(frame) = self.buffered_frame(max_bytes)? {
                return Ok(frame);
            }
            self.fill().await?;
        }
    }

    /// Exactly `N` bytes, reading none beyond them.
    pub async fn exactly<const N: usize>(&mut self) -> Result<[u8; N], Stop> {
        let mut bytes = [0; N];
        match self.socket.read(&mut bytes[..1]).await? {
            0 => return Err(Stop::Goodbye),
            _ => self.socket.read_exact(&mut bytes[1..]).await?,
        };
        Ok(bytes)
    }

    /// `length` bytes more, reading none beyond them.
    pub async fn rest(&mut self, length: usize) -> Result<BytesMut, Stop> {
        let mut bytes = BytesMut::zeroed(length);
        self.socket.read_exact(&mut bytes).await?;
        Ok(bytes)
    }

    async fn fill(&mut self) -> Result<(), Stop> {
        self.input.reserve(READ_SIZE);
        match self.socket.read_buf(&mut self.input).await? {
            0 if self.input.is_empty() => Err(Stop::Goodbye),
            0 => Err(Stop::Gone),
            _ => Ok(()),
        }
    }

    /// Runs `work` as long as the client is there; a client that hangs up ends it.
    pub async fn attend<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Stop> {
        let mut work = pin!(work);
        loop {
            tokio::select! {
                biased;
                done = &mut work => return Ok(done),
                read = self.watch() => read?,
            }
        }
    }

    /// Reads ahead, to learn of a client that hangs up.
    async fn watch(&mut self) -> Result<(), Stop> {
        if self.input.len() >= READ_AHEAD {
            return std::future::pending().await;
        }
        self.fill().await.map_err(|_| Stop::Gone)
    }

    /// Sends what has been gathered, at the client's pace.
    ///
    /// # Errors
    /// A broken socket, a client that takes nothing for too long, or `closing`.
    pub async fn flush(&mut self, closing: &CancellationToken) -> Result<(), Stop> {
        while !self.output.is_empty() {
            let stalled = tokio::time::sleep(self.stalled_timeout);
            tokio::select! {
                biased;
                written = self.socket.write_buf(&mut self.output) => if written? == 0 {
                    return Err(Stop::Gone);
                },
                () = closing.cancelled() => return Err(terminated()),
                () = stalled => return Err(Stop::Gone),
            }
        }
        if let Socket::Tls(_) = self.socket {
            tokio::select! {
                biased;
                flushed = self.socket.flush() => flushed?,
                () = closing.cancelled() => return Err(terminated()),
                () = tokio::time::sleep(self.stalled_timeout) => return Err(Stop::Gone),
            }
        }
        Ok(())
    }

    /// Gives back what a large message or result left in the buffers.
    pub fn shrink(&mut self) {
        if self.output.is_empty() && self.output.capacity() > KEPT_CAPACITY {
            self.output = BytesMut::new();
        }
        if self.input.is_empty() && self.input.capacity() > KEPT_CAPACITY {
            self.input = BytesMut::new();
        }
    }

    /// Tells the client why the connection ends, if it will hear it, and closes.
    pub async fn farewell(&mut self, problem: &Problem) {
        backend::error(problem, Severity::Fatal, &mut self.output);
        self.close().await;
    }

    pub async fn close(&mut self) {
        let sent = async {
            let _ = self.socket.write_all_buf(&mut self.output).await;
            let _ = self.socket.shutdown().await;
        };
        let _ = tokio::time::timeout(FAREWELL_TIMEOUT, sent).await;
    }

    /// Upgrades a bare TCP connection.
    ///
    /// # Errors
    /// A failed handshake.
    pub async fn start_tls(self, acceptor: &tokio_rustls::TlsAcceptor) -> Result<Self, Stop> {
        let Socket::Tcp(stream) = self.socket else { return Err(Stop::Gone) };
        let stream = acceptor.accept(stream).await.map_err(|error| {
            tracing::debug!(%error, "TLS handshake failed");
            Stop::Gone
        })?;
        Ok(Self { socket: Socket::Tls(Box::new(stream)), ..self })
    }

    /// The first byte, left where it is. `None` where the client has gone.
    pub async fn peek(&self) -> Result<Option<u8>, Stop> {
        let Socket::Tcp(stream) = &self.socket else { return Ok(None) };
        let mut first = [0];
        Ok((stream.peek(&mut first).await? == 1).then_some(first[0]))
    }

    /// The protocol that the TLS client asked for by name.
    pub fn alpn(&self) -> Option<&[u8]> {
        match &self.socket {
            Socket::Tls(stream) => stream.get_ref().1.alpn_protocol(),
            _ => None,
        }
    }

    pub fn is_tls(&self) -> bool {
        matches!(self.socket, Socket::Tls(_))
    }

    pub fn is_tcp(&self) -> bool {
        matches!(self.socket, Socket::Tcp(_))
    }
}

pub(crate) fn terminated() -> Stop {
    Stop::fatal(ErrorKind::AdminShutdown, "terminating connection due to administrator command")
}
