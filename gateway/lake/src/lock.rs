//! One writer at a time, across processes. The operating system frees the lock of a process that dies.

use std::fs::{File, OpenOptions, TryLockError};
use std::time::{Duration, Instant};

use crate::error::{LakeError, Result};
use crate::layout::Layout;

/// Held by whoever writes.
#[derive(Debug)]
pub struct WriterLock {
    _file: File,
}

impl WriterLock {
    /// Waits for the lock at most `patience`.
    pub fn acquire(layout: &Layout, patience: Duration) -> Result<WriterLock> {
        const STEP: Duration = Duration::from_millis(20);
        let deadline = Instant::now() + patience;
        loop {
            match WriterLock::try_acquire(layout)? {
                Some(lock) => return Ok(lock),
                None if Instant::now() >= deadline => return Err(LakeError::Locked(layout.data().to_owned())),
                None => std::thread::sleep(STEP),
            }
        }
    }

    /// `None` where another holds it.
    pub fn try_acquire(layout: &Layout) -> Result<Option<WriterLock>> {
        let path = layout.lock();
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(|source| LakeError::io("open", &path, source))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(WriterLock { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(source)) => Err(LakeError::io("lock", &path, source)),
        }
    }
}
