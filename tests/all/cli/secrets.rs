//! No secret comes out: not to the terminal, not into the catalogue, in no writing of it.

use crate::cli::archive::{members, name};
use crate::cli::environment::{SOON, TestEnv};
use crate::support::samples;
use data_encoding::{BASE64, HEXLOWER, HEXUPPER};
use std::collections::BTreeSet;

/// A secret as it is stored: key bytes, a private key, a token.
fn secrets() -> BTreeSet<Vec<u8>> {
    let mut secrets = BTreeSet::new();
    for sample in samples::all() {
        for stage in ["routes", "oauth"] {
            let keys = sample.row["encryption"][stage]["keys"].as_array().cloned();
            for key in keys.unwrap_or_default() {
                let secret = key["secret"].as_str().expect("base64");
                secrets.insert(BASE64.decode(secret.as_bytes()).expect("base64"));
            }
        }
        let archive = sample.row["kuberesources"].as_str();
        for member in archive.map(members).unwrap_or_default() {
            secrets.extend(of_member(&name(&member), &member.1));
        }
    }
    secrets.retain(|secret| secret.iter().any(|&byte| byte != 0));
    secrets
}

fn of_member(path: &str, content: &[u8]) -> Vec<Vec<u8>> {
    if path.ends_with("/encryption-config") {
        let text = String::from_utf8_lossy(content);
        let parts = text.split("\"secret\":\"").skip(1);
        let secrets =
            parts.filter_map(|part| BASE64.decode(part.split('"').next()?.as_bytes()).ok());
        return secrets.collect();
    }
    let is_secret = path.ends_with(".key") || path.ends_with("/token");
    if !is_secret {
        return Vec::new();
    }
    let text = String::from_utf8_lossy(content);
    if !text.contains("-----BEGIN") {
        return vec![text.trim().as_bytes().to_vec()];
    }
    // The first line of a private key says nothing yet: its kind and length.
    let lines = text
        .lines()
        .filter(|line| !line.starts_with("-----") && line.len() > 30);
    lines.skip(1).map(|line| line.as_bytes().to_vec()).collect()
}

/// Every way in which it could be written.
fn writings(secret: &[u8]) -> Vec<Vec<u8>> {
    let base64 = BASE64.encode(secret);
    let decimal: Vec<String> = secret.iter().map(u8::to_string).collect();
    vec![
        secret.to_vec(),
        HEXLOWER.encode(secret).into_bytes(),
        HEXUPPER.encode(secret).into_bytes(),
        base64.trim_end_matches('=').as_bytes().to_vec(),
        decimal.join(", ").into_bytes(),
        decimal.join(",").into_bytes(),
    ]
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    let Some(&first) = part.first() else {
        return false;
    };
    let mut at = 0;
    while let Some(next) = bytes[at..].iter().position(|&byte| byte == first) {
        at += next;
        if bytes[at..].starts_with(part) {
            return true;
        }
        at += 1;
    }
    false
}

#[test]
fn no_secret_reaches_an_answer_or_the_catalogue() {
    let secrets = secrets();
    assert!(secrets.len() > 30, "{}", secrets.len());
    assert!(secrets.iter().all(|secret| secret.len() >= 16));
    let env = TestEnv::new();
    let root = samples::testdata().join("backups");
    let root = root.to_str().expect("plain");
    // Damage too: errors like to quote what they choke on.
    env.put(
        "data/snapshot_2024-11-02_030000.db",
        samples::bytes(crate::cli::environment::SNAPSHOT),
    );
    for (number, change) in [
        ("1", "\"kind\":"),
        ("2", "\"name\":\"7\""),
        ("3", "\"aescbc\""),
        ("4", "{"),
        ("5", "=\"}"),
    ]
    .into_iter()
    {
        let broken = crate::cli::archive::with_configuration(
            crate::cli::environment::KUBERESOURCES,
            |text| text.replacen(change, "\"x\"", 1),
        );
        env.put(
            &format!("broken{number}/static_kuberesources_2024-11-02_030000.tar.gz"),
            broken,
        );
    }
    let mut said = Vec::new();
    let here = env.text("");
    for arguments in [
        &["index", root, &here, "-vv", "-o", "json"][..],
        &["verify", root, &here, "-vv"],
        &["verify", root, "-o", "yaml"],
        &["list", "--all", "-o", "wide"],
        &["list", "--all", "-o", "json"],
        &["show", "27be", "-o", "wide"],
        &["show", "0ee550088e99", "-o", "json"],
        &["ls", "27be", "-o", "json"],
        &["ls", "27be", "--size"],
        &["diff", "27be", "0584", "--names"],
        &["diff", "27be", "0584", "-o", "json"],
        &["ls", "27be", "secrets", "-o", "json"],
        &["get", "27be", "secrets,cm,routes,oauthaccesstokens"],
        &["get", "27be", "secrets,cm,routes", "-o", "json"],
        &[
            "check",
            "--valid-for",
            "4.17.3",
            "--cluster",
            "prod",
            "-o",
            "json",
        ],
        &["metrics"],
        &["forget", "0ee5"],
    ] {
        let mut command = env.command(arguments);
        command.env("ETCD_CAT_AS_OF", SOON);
        let output = command.output().expect("it starts");
        assert!(!output.stdout.is_empty(), "{arguments:?}");
        said.extend(output.stdout);
        said.extend(output.stderr);
    }
    let report = env.text("report.html");
    env.run(&["report", "--to", &report, "--as-of", SOON])
        .ends_with(0);
    for entry in std::fs::read_dir(&here).expect("our own") {
        let path = entry.expect("readable").path();
        if path.is_file() {
            said.extend(std::fs::read(path).expect("readable"));
        }
    }
    for secret in secrets {
        for writing in writings(&secret) {
            assert!(
                !contains(&said, &writing),
                "a secret of {} bytes came out",
                secret.len()
            );
        }
    }
}
