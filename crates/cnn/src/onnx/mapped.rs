//! Files as bytes in memory. A page of a file is read when something looks at it, so that a network's layers
//! can be listed without its weights, and given back once a device has what is in it.

use std::fs::File;
use std::io;
use std::path::Path;

use bytes::Bytes;

#[cfg(unix)]
pub(crate) use pages::release;

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
        #[cfg(unix)]
        Ok(map) => Ok(pages::bytes(map)),
        #[cfg(not(unix))]
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

/// Gives the pages of a part of a file back, which are read again when something looks at them.
#[cfg(not(unix))]
pub(crate) fn release(_: &[u8]) {}

#[cfg(unix)]
mod pages {
    use std::sync::{Arc, Mutex, PoisonError, Weak};

    use bytes::Bytes;
    use memmap2::{Mmap, UncheckedAdvice};

    /// The maps that are in use.
    static MAPS: Mutex<Vec<Weak<Mmap>>> = Mutex::new(Vec::new());

    struct Shared(Arc<Mmap>);

    impl AsRef<[u8]> for Shared {
        fn as_ref(&self) -> &[u8] {
            &self.0
        }
    }

    pub(super) fn bytes(map: Mmap) -> Bytes {
        let map = Arc::new(map);
        let mut maps = MAPS.lock().unwrap_or_else(PoisonError::into_inner);
        maps.retain(|map| map.strong_count() > 0);
        maps.push(Arc::downgrade(&map));
        Bytes::from_owner(Shared(map))
    }

    /// Gives the pages of a part of a file back, which are read again when something looks at them. Does
    /// nothing for bytes that are no part of a mapped file.
    #[allow(unsafe_code, reason = "memmap2 knows of maps that can be written, too")]
    pub(crate) fn release(part: &[u8]) {
        let maps = MAPS.lock().unwrap_or_else(PoisonError::into_inner);
        for map in maps.iter().filter_map(Weak::upgrade) {
            let (all, own) = (map.as_ptr_range(), part.as_ptr_range());
            if all.start <= own.start && own.end <= all.end {
                let offset = own.start as usize - all.start as usize;
                // SAFETY: the map is of a file and is only read, so its pages have nothing but what is in the
                // file, from which they are read again.
                let advised = unsafe {
                    map.unchecked_advise_range(UncheckedAdvice::DontNeed, offset, part.len())
                };
                // Where the system does not take the advice, the pages stay.
                drop(advised);
            }
        }
    }
}
