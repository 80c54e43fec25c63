//! A catalogue that is not as it was written says so, and is made whole again.

use crate::cli::environment::{SOON, TestEnv};
use crate::support::dice::Dice;

fn indexed() -> TestEnv {
    let env = TestEnv::healthy();
    let (data, keys) = (env.text("data"), env.text("keys"));
    env.run(&["index", &data, &keys, "-q", "--as-of", SOON]);
    env
}

fn list(env: &TestEnv) -> crate::cli::environment::Ran {
    env.run(&["list", "--all", "-o", "json", "--as-of", SOON])
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

/// The answer is the right one, or the exit code says that it is none.
#[test]
fn no_flipped_bit_is_silently_wrong() {
    let env = indexed();
    let sound = std::fs::read(env.path("catalogue.redb")).expect("our own");
    let id = env.list()[0].id.clone().expect("it is a snapshot");
    let show = ["show", &id, "-o", "json", "--as-of", SOON];
    let (listed, shown) = (list(&env).stdout, env.run(&show).stdout);
    let mut dice = Dice(13);
    let mut told = 0;
    for _ in 0..60 {
        let at = dice.length(sound.len() as u64);
        let mut flipped = sound.clone();
        flipped[at] ^= 1 << dice.roll(8);
        for (ask, truth) in [(None, &listed), (Some(&show), &shown)] {
            env.put("catalogue.redb", &flipped);
            let ran = ask.map_or_else(|| list(&env), |ask| env.run(ask));
            let is_told = ran.code == Some(2);
            assert!(is_told || ran.stdout == *truth, "byte {at}: {ran:?}");
            told += usize::from(is_told);
        }
        // Reading the files again mends what it can; what it cannot is told.
        let mended = env.run(&["index", "-q", "--as-of", SOON]);
        assert!(matches!(mended.code, Some(0..=2)), "byte {at}: {mended:?}");
    }
    assert!(told > 0, "none of them hit anything");
}
