//! Small files made to take much: each is read by the command itself, in memory that its bytes pay for.
#![expect(clippy::panic, reason = "a test that fails is to stop where it fails")]

use crate::cli::contract::VerifyReport;
use crate::cli::environment::{Ran, TestEnv};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// What any input may take, and what each of its bytes and files pays for.
const BASE_BYTES: usize = 64 << 20;
const PER_BYTE: usize = 4;
const PER_FILE: usize = 2 << 10;
/// Generous: these tests run beside others, without optimisation.
const TIME: Duration = Duration::from_secs(180);

/// Runs it, and tells the most memory it ever had, as last seen every millisecond.
pub(crate) fn measured(env: &TestEnv, arguments: &[&str]) -> (Ran, usize) {
    let started = Instant::now();
    let mut command = env.command(arguments);
    let (stdout, stderr) = (env.path("stdout"), env.path("stderr"));
    let open = |path: &Path| std::fs::File::create(path).expect("our own");
    command.stdout(open(&stdout)).stderr(open(&stderr));
    let mut child = command.stdin(Stdio::null()).spawn().expect("it starts");
    let status_file = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    let status = loop {
        peak = peak.max(peak_bytes(&status_file));
        if let Some(status) = child.try_wait().expect("our child") {
            break status;
        }
        if started.elapsed() > TIME {
            child.kill().expect("our child");
            panic!("{arguments:?}: still reading after {TIME:?}");
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    let read = |path: &Path| std::fs::read(path).expect("our own");
    let output = std::process::Output {
        status,
        stdout: read(&stdout),
        stderr: read(&stderr),
    };
    (Ran::of(output), peak)
}

fn peak_bytes(status_file: &str) -> usize {
    let status = std::fs::read_to_string(status_file).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<usize>().ok());
    kib.unwrap_or_default() << 10
}

/// Everything in `data`, verified within its limit.
pub(crate) fn within_limit(env: &TestEnv, name: &str) -> Ran {
    let (mut bytes, mut files) = (0, 0);
    for entry in std::fs::read_dir(env.path("data")).expect("our own") {
        let length = entry.expect("readable").metadata().expect("there").len();
        bytes += usize::try_from(length).expect("fits");
        files += 1;
    }
    let limit = BASE_BYTES + PER_BYTE * bytes + PER_FILE * files;
    let (ran, peak) = measured(
        env,
        &["verify", &env.text("data"), "--no-catalogue", "-o", "json"],
    );
    assert!(
        ran.code == Some(1) || ran.code == Some(2),
        "{name}: {ran:?}"
    );
    assert!(
        peak < limit,
        "{name}: {} KiB, expected at most {} KiB",
        peak >> 10,
        limit >> 10
    );
    ran
}

#[test]
fn hostile_archives_take_what_their_bytes_pay_for() {
    let rows = [
        ("resources-times-providers", "more resources and keys"),
        ("yaml-aliases", "repeats a part of itself by an alias"),
        ("node-names", ""),
        ("open-brackets", "more commas, colons, brackets and lines"),
    ];
    for (name, told) in rows {
        let env = TestEnv::new();
        let archive = "static_kuberesources_2026-01-10_030000.tar.gz";
        env.copy(&format!("cases/hostile/{name}/{archive}"), "data");
        let ran = within_limit(&env, name);
        assert!(ran.stdout.contains(told), "{name}: {}", ran.stdout);
    }
}

fn archive(members: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::best()));
    for (name, data) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(u64::try_from(data.len()).expect("fits"));
        header.set_mode(0o600);
        builder
            .append_data(
                &mut header,
                format!("static-pod-resources/{name}"),
                data.as_slice(),
            )
            .expect("writes to memory");
    }
    let gzip = builder.into_inner().expect("writes to memory");
    gzip.finish().expect("writes to memory")
}

fn texts(member: &str, texts: &[String]) -> Vec<(String, Vec<u8>)> {
    let numbered = texts.iter().enumerate();
    numbered
        .map(|(number, text)| {
            let name = member.replace("{}", &number.to_string());
            (name, text.clone().into_bytes())
        })
        .collect()
}

#[test]
fn archives_that_name_without_end_take_what_their_bytes_pay_for() {
    let manifest = "kube-apiserver-pod-{}/kube-apiserver-pod.yaml";
    let config = "kube-controller-manager-pod-{}/configmaps/config/config.yaml";
    let keys = "kube-apiserver-pod-{}/secrets/encryption-config/encryption-config";
    let repeated = |text: &str| text.repeat((2 << 20) / text.len() - 100);
    let pem = String::from_utf8_lossy(include_bytes!("../../src/kubernetes/certificate_test.pem"))
        .into_owned();
    let resources: Vec<String> = (0..45)
        .map(|number| format!("\"r{number:0200}\""))
        .collect();
    let providers: Vec<String> = (0..40)
        .map(|number| format!("{{\"kms\":{{\"name\":\"{number:0200}\"}}}}"))
        .collect();
    let product = format!(
        "{{\"resources\":[{{\"resources\":[{}],\"providers\":[{}]}}]}}",
        resources.join(","),
        providers.join(",")
    );
    let rows = [
        (
            "containers that are empty",
            texts(
                manifest,
                &vec![format!("{{\"spec\":{{\"containers\":[{}{{}}]}}}}", repeated("{},")); 8],
            ),
        ),
        (
            "a name of megabytes",
            texts(
                config,
                &vec![
                    format!(
                        "{{\"extendedArguments\":{{\"cluster-name\":[\"{}\"]}}}}",
                        repeated("n")
                    );
                    20
                ],
            ),
        ),
        (
            "lists in lists of YAML",
            texts(config, &vec![repeated("- "); 20]),
        ),
        (
            "mappings of YAML",
            texts(config, &vec![repeated("a:\n"); 20]),
        ),
        (
            "products in every revision",
            texts(keys, &vec![product; 60]),
        ),
        (
            "certificates",
            texts("etcd-pod-{}/secrets/a/tls.crt", &vec![repeated(&pem); 30]),
        ),
    ];
    let numbers = 1000..2000;
    let long = "n".repeat(60_000);
    let names: Vec<(String, Vec<u8>)> = numbers
        .map(|number| {
            let directory = "etcd-pod-12/secrets/etcd-all-certs";
            let name = format!("{directory}/etcd-peer-{number}{long}.crt");
            (name, pem.clone().into_bytes())
        })
        .collect();
    let rows = rows.into_iter().chain([("names of members", names)]);
    for (name, members) in rows {
        let env = TestEnv::new();
        let path = "data/static_kuberesources_2026-01-10_030000.tar.gz";
        env.put(path, archive(&members));
        within_limit(&env, name);
    }
}

/// Many files of no byte, read within their limit in time that grows as they do.
fn many(count: u32, forms: &[&str]) {
    let env = TestEnv::new();
    std::fs::create_dir_all(env.path("data")).expect("made");
    for number in 0..count {
        let (month, day) = (1 + number % 12, 1 + number / 12 % 28);
        env.put(
            &format!("data/snapshot_2025-{month:02}-{day:02}_{number:06}.db"),
            "",
        );
    }
    for form in forms {
        let limit = BASE_BYTES + PER_FILE * usize::try_from(count).expect("fits");
        let arguments = ["verify", &env.text("data"), "--no-catalogue", "-o", form];
        let (ran, peak) = measured(&env, &arguments);
        assert_eq!(ran.code, Some(1));
        if *form == "json" {
            let report: VerifyReport = ran.json();
            assert_eq!(report.items.len(), usize::try_from(count).expect("fits"));
        }
        let (peak, limit) = (peak >> 10, limit >> 10);
        assert!(
            peak < limit,
            "{count} files as {form}: {peak} KiB, expected at most {limit}"
        );
    }
}

#[test]
fn many_empty_files_take_little_each() {
    many(10_000, &["table", "name", "json"]);
}

#[test]
#[ignore = "takes minutes; docs/reliability.md has its result"]
fn a_hundred_thousand_empty_files_take_little_each() {
    many(100_000, &["table", "name", "json", "yaml"]);
}

#[test]
fn packed_bytes_that_are_no_database_are_not_unpacked_without_end() {
    let env = TestEnv::new();
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    let zeros = vec![0; 1 << 20];
    for _ in 0..1500 {
        gzip.write_all(&zeros).expect("writes to memory");
    }
    let packed = gzip.finish().expect("writes to memory");
    env.put("data/snapshot_2026-01-10_030000.db.gz", packed);
    let ran = within_limit(&env, "zeros");
    assert!(ran.stdout.contains("not-a-snapshot"), "{}", ran.stdout);
    assert!(
        ran.stdout.contains("\"sizeBytes\": 67108864"),
        "{}",
        ran.stdout
    );
}
