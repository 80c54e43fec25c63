//! A catalogue that is not as it was written says so, and is made whole again.

use crate::cli::contract::VerifyReport;
use crate::cli::environment::{SOON, TestEnv};
use crate::support::dice::Dice;

fn indexed() -> TestEnv {
    let env = TestEnv::healthy();
    let (data, keys) = (env.text("data"), env.text("keys"));
    env.run(&["index", &data, &keys, "-q", "--as-of", SOON]);
    env
}

#[test]
fn an_empty_file_is_damage() {
    let env = indexed();
    env.put("catalogue.redb", "");
    for command in ["list", "clusters"] {
        let ran = env.run(&[command, "-o", "json"]);
        assert_eq!(ran.code, Some(2), "{command}: {ran:?}");
        assert!(ran.stderr.contains("the file is empty"), "{ran:?}");
        assert!(ran.stderr.contains("\"kind\":\"Error\""), "{ran:?}");
    }
}

#[test]
fn a_catalogue_made_anew_knows_its_locations_and_its_history() {
    let env = indexed();
    env.run(&["verify", "-q", "--as-of", SOON]);
    let before = env.list();
    let ran = env.run(&["index", "--rebuild", "--as-of", SOON]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stderr.contains("kept as"), "{ran:?}");
    let after = env.list();
    let (before, after) = (&before[0], &after[0]);
    assert_eq!((&after.id, &after.verdict), (&before.id, &before.verdict));
    assert_eq!(after.first_seen_at, before.first_seen_at);
    assert!(after.verifications.len() > before.verifications.len());
    let names = std::fs::read_dir(env.path("")).expect("our own");
    let kept = names.filter(|entry| {
        let name = entry.as_ref().expect("readable").file_name();
        name.to_string_lossy().contains(".damaged-")
    });
    assert_eq!(kept.count(), 1);
}

#[test]
fn a_catalogue_whose_store_gives_up_can_be_asked_and_made_anew() {
    let env = indexed();
    env.put(
        "catalogue.redb",
        crate::support::samples::bytes("cases/hostile/abort.redb"),
    );
    for _ in 0..2 {
        // Whatever writes fails; what was asked is answered all the same.
        let ran = env.run(&[
            "check",
            "--valid-for",
            "4.17.3",
            "--offline",
            "--as-of",
            SOON,
        ]);
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(ran.stdout.contains("4.17.3"), "{ran:?}");
        assert!(ran.stderr.contains("index --rebuild"), "{ran:?}");
        let forgotten = env.run(&["forget", "ec3ee4513198"]);
        assert_eq!(forgotten.code, Some(2), "{forgotten:?}");
        let listed = env.run(&["list", "--all", "-o", "name"]);
        assert!(listed.stdout.contains("ec3ee4513198"), "{listed:?}");
    }
    let data = env.text("data");
    env.run(&["index", "--rebuild", &data, "--as-of", SOON]);
    let ran = env.run(&["list", "-o", "name", "--as-of", SOON]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(1), ""), "{ran:?}");
}

/// Changes a byte in the middle of some text of the catalogue, wherever a record has it.
fn damage_record(env: &TestEnv, text: &str) {
    let mut bytes = std::fs::read(env.path("catalogue.redb")).expect("our own");
    let wanted = text.as_bytes();
    let places: Vec<usize> = (0..bytes.len() - wanted.len())
        .filter(|at| bytes.get(*at..at + wanted.len()) == Some(wanted))
        .collect();
    for at in places {
        bytes[at + wanted.len() / 2] ^= 1;
    }
    env.put("catalogue.redb", bytes);
}

#[test]
fn damaged_records_are_told_by_every_command_and_read_again_by_index() {
    let env = indexed();
    let (keys, before) = (env.text("keys"), env.list());
    // Only facts of snapshots name an infrastructure.
    damage_record(&env, "prod-7xk2p");
    let id = before[0].id.clone().expect("it is a snapshot");
    for ask in [
        &["list"] as &[&str],
        &["list", "-o", "name"],
        &["clusters"],
        &["show", &id],
        &["index", &keys],
    ] {
        let mut all = ask.to_vec();
        all.extend(["--as-of", SOON]);
        let ran = env.run(&all);
        assert_eq!(ran.code, Some(2), "{ask:?}: {ran:?}");
        assert!(ran.stderr.contains("the catalogue is damaged"), "{ran:?}");
        all.extend(["-o", "json"]);
        if !ask.contains(&"name") {
            let last = env.run(&all).stderr;
            let last = last.lines().last().expect("there is a line");
            assert!(last.contains("the catalogue is damaged"), "{last}");
        }
    }
    let ran = env.run(&["index", "-o", "json", "--as-of", SOON]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stderr.contains("the catalogue was damaged"), "{ran:?}");
    let report: VerifyReport = ran.json();
    assert!(!report.catalogue_damage.is_empty(), "{report:?}");
    let after = env.run(&["list", "--as-of", SOON]);
    assert_eq!((after.code, after.stderr.as_str()), (Some(0), ""));
    assert_eq!(env.list()[0].id, before[0].id);
}

/// The answer is the right one, or the exit code says that it is none.
#[expect(clippy::print_stdout, reason = "the number is for whoever repeats it")]
fn flip(flips: usize, seed: u64) {
    let env = indexed();
    let sound = std::fs::read(env.path("catalogue.redb")).expect("our own");
    let id = env.list()[0].id.clone().expect("it is a snapshot");
    let asks: [&[&str]; 5] = [
        &["list", "--all", "-o", "json"],
        &["list"],
        &["clusters"],
        &["show", &id, "-o", "json"],
        &["check", "--valid-for", "4.17.3", "--offline"],
    ];
    let ask = |ask: &[&str]| {
        let mut all = ask.to_vec();
        all.extend(["--as-of", SOON]);
        env.run(&all)
    };
    let truth = asks.map(|one| {
        env.put("catalogue.redb", &sound);
        ask(one).stdout
    });
    let mut dice = Dice(seed);
    let mut told = 0;
    for _ in 0..flips {
        let at = dice.length(sound.len() as u64);
        let mut flipped = sound.clone();
        flipped[at] ^= 1 << dice.roll(8);
        env.put("catalogue.redb", &flipped);
        for (one, truth) in asks.iter().zip(&truth) {
            let ran = ask(one);
            let is_told = ran.code == Some(2) || ran.stderr.contains("was damaged");
            assert!(
                is_told || ran.stdout == *truth,
                "{one:?}, byte {at}: {ran:?}"
            );
            told += usize::from(is_told);
        }
        // Reading the files again mends what it can; what it cannot is told.
        let mended = env.run(&["index", "-q", "--as-of", SOON]);
        assert!(matches!(mended.code, Some(0..=2)), "byte {at}: {mended:?}");
    }
    assert!(told > 0, "none of them hit anything");
    println!("{flips} bits flipped, {told} answers told of them, none was silently wrong");
}

#[test]
fn no_flipped_bit_is_silently_wrong() {
    flip(30, 13);
}

#[test]
#[ignore = "takes minutes; docs/reliability.md has its result"]
fn four_hundred_flipped_bits() {
    flip(400, 400);
}
