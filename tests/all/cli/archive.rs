//! Takes a kuberesources archive apart and makes it again.

use crate::support::samples;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use std::io::{Read as _, Write as _};
use tar::{Archive, Builder, EntryType, Header};

/// A member: header and content.
pub(crate) type Member = (Header, Vec<u8>);

/// All members of a sample.
pub(crate) fn members(sample: &str) -> Vec<Member> {
    members_of(&samples::bytes(sample))
}

/// All members of an archive.
pub(crate) fn members_of(bytes: &[u8]) -> Vec<Member> {
    let mut archive = Archive::new(GzDecoder::new(bytes));
    let entries = archive.entries().expect("a tar archive");
    let member = |entry: std::io::Result<tar::Entry<'_, _>>| {
        let mut entry = entry.expect("a sound member");
        let mut content = Vec::new();
        entry.read_to_end(&mut content).expect("it can be read");
        (entry.header().clone(), content)
    };
    entries.map(member).collect()
}

/// The path in a header.
pub(crate) fn name(member: &Member) -> String {
    let path = member.0.path().expect("a path");
    path.to_string_lossy().into_owned()
}

/// An archive of these members.
pub(crate) fn pack(members: &[Member]) -> Vec<u8> {
    let mut builder = Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (header, content) in members {
        let mut header = header.clone();
        header.set_size(content.len() as u64);
        header.set_cksum();
        builder.append(&header, content.as_slice()).expect("memory");
    }
    let encoder = builder.into_inner().expect("memory");
    encoder.finish().expect("memory")
}

/// The sample's archive, changed.
pub(crate) fn remade(sample: &str, change: impl FnOnce(&mut Vec<Member>)) -> Vec<u8> {
    let mut members = members(sample);
    change(&mut members);
    pack(&members)
}

/// Replaces text in the encryption configuration.
pub(crate) fn with_configuration(sample: &str, change: impl Fn(&str) -> String) -> Vec<u8> {
    remade(sample, |members| {
        let configuration = members
            .iter_mut()
            .find(|member| name(member).ends_with("/encryption-config/encryption-config"));
        let (_, content) = configuration.expect("the sample is encrypted");
        let text = String::from_utf8(std::mem::take(content)).expect("JSON");
        *content = change(&text).into_bytes();
        assert_ne!(*content, text.into_bytes(), "the change changes something");
    })
}

/// A member whose path the tar crate itself would refuse to write.
pub(crate) fn member(path: &str, kind: EntryType, content: &[u8]) -> Member {
    let mut header = Header::new_gnu();
    header.as_mut_bytes()[..path.len()].copy_from_slice(path.as_bytes());
    header.set_entry_type(kind);
    header.set_mode(0o644);
    (header, content.to_vec())
}

/// Packs bytes with gzip.
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}
