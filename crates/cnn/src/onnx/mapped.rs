//! Files as bytes in memory. A page of a file is read when something looks at it, so that a network's layers
//! can be listed without its weights.

use std::fs::File;
use std::io;
use std::path::Path;

use bytes::Bytes;

/// The bytes of a file.
#[cfg(not(target_arch = "wasm32"))]
#[allow(unsafe_code, reason = "a mapped file may be changed by others; Model::open says so")]
pub(crate) fn open(path: &Path) -> io::Result<Bytes> {
    let file = File::open(path)?;
    if !file.metadata()?.is_file() {
        // A pipe has no pages.
        return Ok(Bytes::from(std::fs::read(path)?));
    }
    // SAFETY: the map is only read. Where another process shortens the file, the system ends this
    // one; it cannot do worse.
    match unsafe { memmap2::Mmap::map(&file) } {
        Ok(map) => Ok(Bytes::from_owner(map)),
        Err(_) => Ok(Bytes::from(std::fs::read(path)?)),
    }
}

/// The bytes of a file.
#[cfg(target_arch = "wasm32")]
pub(crate) fn open(path: &Path) -> io::Result<Bytes> {
    let _ = File::open(path)?;
    Ok(Bytes::from(std::fs::read(path)?))
}
