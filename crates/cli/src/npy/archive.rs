//! Archives of `numpy.savez`: zip files with an array in each member, `NAME.npy`.

use std::io::{Read, Seek};

use anyhow::{Context, Result, bail};
use zip::ZipArchive;

/// The four bytes that a zip file begins with: the first member's, or the end's if it has none.
pub(super) const STARTS: [&[u8; 4]; 2] = [b"PK\x03\x04", b"PK\x05\x06"];

/// The ending of a member that is an array.
const ENDING: &str = ".npy";

/// Has `read` read the array of an archive that is called `name`, or the only one. `option` is what
/// names it on the command line.
pub(super) fn read<T>(
    file: impl Read + Seek,
    name: Option<&str>,
    option: &str,
    read: impl FnOnce(&mut dyn Read) -> Result<T>,
) -> Result<T> {
    let mut archive = ZipArchive::new(file).context("is a broken archive")?;
    // One whose name is no text cannot be asked for.
    let members = archive.file_names().flatten();
    let names: Vec<_> =
        members.filter_map(|member| Some(member.strip_suffix(ENDING)?.to_owned())).collect();
    let name = name.map(|name| name.strip_suffix(ENDING).unwrap_or(name));
    let name = match (name, &names[..]) {
        (_, []) => bail!("is an archive without an array"),
        (Some(name), _) if names.iter().any(|other| other == name) => name,
        (Some(name), _) => bail!("{option} {name}: its arrays are {}", names.join(", ")),
        (None, [only]) => only,
        (None, several) => {
            bail!("holds {} arrays; {option} chooses one of {}", several.len(), several.join(", "))
        }
    };
    let member = archive.by_name(&format!("{name}{ENDING}"));
    let mut member = member.with_context(|| format!("array {name}"))?;
    read(&mut member).with_context(|| format!("array {name}"))
}
