//! Archives written byte by byte, as they should be and as nobody should write them.

use crate::kuberesources::SECRET;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::{Read, Write};

/// One member as raw blocks: the `tar` crate refuses to write hostile names.
pub(super) fn member(name: &str, kind: u8, target: &str, data: &[u8]) -> Vec<u8> {
    raw_member(name.as_bytes(), kind, target.as_bytes(), data.len(), data)
}

pub(super) fn raw_member(
    name: &[u8],
    kind: u8,
    target: &[u8],
    size: usize,
    data: &[u8],
) -> Vec<u8> {
    let mut header = tar::Header::new_ustar();
    {
        let old = header.as_old_mut();
        copy(&mut old.name, name);
        copy(&mut old.linkname, target);
        old.linkflag = [kind];
    }
    header.set_mode(0o600);
    header.set_mtime(1_700_000_000);
    header.set_uid(0);
    header.set_gid(0);
    header.set_size(u64::try_from(size).expect("fits"));
    header.set_cksum();
    let mut blocks = header.as_bytes().to_vec();
    blocks.extend_from_slice(data);
    blocks.resize(blocks.len().next_multiple_of(512), 0);
    blocks
}

pub(super) fn copy(to: &mut [u8], from: &[u8]) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
}

pub(super) fn file(name: &str, data: &str) -> Vec<u8> {
    member(name, b'0', "", data.as_bytes())
}

pub(super) fn end() -> Vec<u8> {
    vec![0; 1024]
}

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("writes to memory");
    encoder.finish().expect("writes to memory")
}

pub(super) fn gzip_fast(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::none());
    encoder.write_all(bytes).expect("writes to memory");
    encoder.finish().expect("writes to memory")
}

pub(super) fn inflate(bytes: &[u8]) -> Vec<u8> {
    let mut inflated = Vec::new();
    flate2::read::GzDecoder::new(bytes)
        .read_to_end(&mut inflated)
        .expect("is sound");
    inflated
}

pub(super) fn pod(revision: i64) -> String {
    format!(
        r#"{{"kind":"Pod","metadata":{{"labels":{{"revision":"{revision}"}}}},"spec":{{"containers":[{{"env":[
        {{"name":"ETCDCTL_CERT","value":"/x/etcd-peer-master-0.crt"}}]}}]}}}}"#
    )
}

pub(super) fn configuration() -> String {
    format!(
        r#"{{"kind":"EncryptionConfiguration","resources":[{{"resources":["secrets"],"providers":[
        {{"aescbc":{{"keys":[{{"name":"7","secret":"{SECRET}"}}]}}}},{{"identity":{{}}}}]}}]}}"#
    )
}

/// The members of a whole archive, `prefix` in front of each name.
pub(super) fn sound_members(prefix: &str) -> Vec<Vec<u8>> {
    let root = format!("{prefix}static-pod-resources");
    let mut members: Vec<Vec<u8>> = [
        "kube-apiserver",
        "kube-controller-manager",
        "kube-scheduler",
        "etcd",
    ]
    .iter()
    .map(|component| {
        file(
            &format!("{root}/{component}-pod-7/{component}-pod.yaml"),
            &pod(7),
        )
    })
    .collect();
    let apiserver = format!("{root}/kube-apiserver-pod-7");
    members.push(file(
        &format!("{apiserver}/configmaps/config/config.yaml"),
        r#"{"apiServerArguments":{"encryption-provider-config":["/x/encryption-config"]}}"#,
    ));
    members.push(file(
        &format!("{apiserver}/secrets/encryption-config/encryption-config"),
        &configuration(),
    ));
    members
}

pub(super) fn archive(members: &[Vec<u8>]) -> Vec<u8> {
    gzip(&[members.concat(), end()].concat())
}
