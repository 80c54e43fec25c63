//! The two files as the host sees them.

use super::error::OcError;
use super::host;
use super::host_shell::HostShell;
use super::script::ScriptOutput;
use super::transfer::RemoteFile;
use crate::digest::Sha256Digest;

/// Size and digest of both files, as the host sees them: kuberesources, snapshot.
pub(super) fn remote_files(
    shell: &mut HostShell<'_, '_>,
    directory: &str,
    output: &ScriptOutput,
) -> Result<[RemoteFile; 2], OcError> {
    let node = shell.context.node;
    let path = |name: &str| format!("{directory}/{name}");
    let snapshot = path(&output.snapshot_name);
    let kuberesources = path(&output.kuberesources_name);
    let absent = |said: &str| {
        let line = said
            .lines()
            .find(|line| line.contains("No such file or directory"))?;
        let is_named = |path: &&String| line.contains(path.as_str());
        let path = [&snapshot, &kuberesources].into_iter().find(is_named)?;
        Some(OcError::RemoteFile {
            node: node.to_owned(),
            path: path.clone(),
            problem: "the script reported success, but the file is not there".to_owned(),
        })
    };
    let sizes = match shell.command(&host::sizes(&snapshot, &kuberesources)) {
        // An old `oc debug` ends with 0 whatever became of the command.
        Ok(sizes) => match absent(&sizes) {
            Some(error) => return Err(error),
            None => sizes,
        },
        Err(OcError::Run(failed)) => {
            return Err(absent(failed.stderr()).unwrap_or(OcError::Run(failed)));
        }
        Err(error) => return Err(error),
    };
    // Reads every byte: as slow as the host's disk.
    let deadline = shell.context.timeouts.script;
    let digests = shell.command_within(&host::digests(&snapshot, &kuberesources), deadline)?;
    let describe = |path: String, name: &str| -> Result<RemoteFile, OcError> {
        let missing = |problem: &str| OcError::RemoteFile {
            node: node.to_owned(),
            path: path.clone(),
            problem: problem.to_owned(),
        };
        let size_bytes = value_before(&sizes, &path).and_then(|size| size.parse().ok());
        let digest = value_before(&digests, &path).and_then(parse_digest);
        Ok(RemoteFile {
            size_bytes: size_bytes.ok_or_else(|| missing("the host did not tell its size"))?,
            digest: digest.ok_or_else(|| missing("the host did not tell its SHA-256"))?,
            name: name.to_owned(),
            path: path.clone(),
        })
    };
    Ok([
        describe(kuberesources, &output.kuberesources_name)?,
        describe(snapshot, &output.snapshot_name)?,
    ])
}

/// The first word of the line that ends with the path, among other lines: `<size> <path>`, `<sha256>  <path>`.
fn value_before<'t>(text: &'t str, path: &str) -> Option<&'t str> {
    text.lines().find_map(|line| {
        let value = line
            .trim_end()
            .strip_suffix(path)?
            .strip_suffix(' ')?
            .trim();
        (!value.is_empty() && !value.contains(' ')).then_some(value)
    })
}

fn parse_digest(hex: &str) -> Option<Sha256Digest> {
    let bytes = data_encoding::HEXLOWER.decode(hex.as_bytes()).ok()?;
    Some(Sha256Digest(bytes.try_into().ok()?))
}
