//! No secret of a cluster comes out of any command, unless it is asked for.

use super::clusters::{SOON, get_all, put, run, served, text};
use super::made;
use crate::cli::environment::TestEnv;
use data_encoding::{BASE64, HEXLOWER};
use memchr::memmem;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Shorter values stand everywhere: `true`, `shop`.
const MIN_BYTES: usize = 8;

/// Parts of a value by which it is known again, wherever lines begin: one line of its middle, and of its base64.
fn marks(value: &[u8]) -> Vec<Vec<u8>> {
    let text = String::from_utf8_lossy(value);
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| line.len() >= MIN_BYTES && !line.starts_with("-----"))
        .collect();
    let line = lines.get(lines.len() / 2).map(|line| line.as_bytes());
    let base64 = BASE64.encode(value);
    let middle = |text: &str| {
        let from = text.len() / 3 / 4 * 4;
        text.as_bytes()
            .iter()
            .skip(from)
            .take(12)
            .copied()
            .collect()
    };
    let mut marks = vec![middle(base64.trim_end_matches('='))];
    marks.push(middle(&HEXLOWER.encode(value)));
    marks.extend(line.map(<[u8]>::to_vec));
    marks
}

/// What the Secrets of a cluster hold and nothing else of it tells: certificates stand in ConfigMaps, too.
fn secrets(cluster: &str) -> BTreeSet<Vec<u8>> {
    let (secrets, others): (Vec<Value>, Vec<Value>) = served(cluster)
        .into_iter()
        .partition(|object| text(object, "/kind") == "Secret");
    let others: String = others.iter().map(Value::to_string).collect();
    let values = secrets
        .iter()
        .filter_map(|secret| secret["data"].as_object());
    let values = values.flatten().filter_map(|(_, value)| value.as_str());
    let values = values.map(|value| BASE64.decode(value.as_bytes()).expect("is base64"));
    let values = values.filter(|value| value.len() >= MIN_BYTES);
    values
        .flat_map(|value| marks(&value))
        .filter(|mark| mark.len() >= MIN_BYTES)
        .filter(|mark| memmem::find(others.as_bytes(), mark).is_none())
        .collect()
}

/// Everything that a command says.
fn said(env: &TestEnv, arguments: &[&str]) -> Vec<u8> {
    let mut command = env.command(arguments);
    let output = command.env("ETCD_CAT_AS_OF", SOON).output();
    let output = output.expect("it starts");
    // Nothing differs in most objects, and two clusters of one version cannot be told apart.
    let may_be_silent = arguments.contains(&"--object") || arguments[0] == "check";
    assert!(
        may_be_silent || !output.stdout.is_empty(),
        "{arguments:?}: {output:?}"
    );
    [output.stdout, output.stderr].concat()
}

#[track_caller]
fn assert_none(said: &[u8], marks: &BTreeSet<Vec<u8>>, what: &str) {
    for mark in marks {
        assert!(
            memmem::find(said, mark).is_none(),
            "{what}: {:?} came out",
            String::from_utf8_lossy(mark)
        );
    }
}

/// Asks everything of these two snapshots that can be asked.
fn everything(env: &TestEnv, from: &str, to: &str) -> Vec<(String, Vec<u8>)> {
    let root = env.text("");
    let kinds = run(env, &["ls", to, "-o", "name"]).stdout;
    let kinds = kinds.lines().collect::<Vec<_>>().join(",");
    let names = run(env, &["ls", to, &kinds, "-A", "-o", "name"]).stdout;
    let mut asked: Vec<Vec<&str>> = vec![
        vec!["index", &root, "--decrypt", "all", "-vv", "-o", "json"],
        vec!["verify", &root, "--deep", "-vv"],
        vec!["verify", &root, "-o", "yaml"],
        vec!["list", "--all", "-o", "wide"],
        vec!["list", "--all", "-o", "json"],
        vec!["show", from, "-o", "wide"],
        vec!["show", to, "-o", "json"],
        vec!["check", "--valid-for", "4.21.3", "-o", "wide"],
        vec!["check", "--valid-for", "4.21.3", "-o", "json"],
        vec!["clusters", "-o", "json"],
        vec!["metrics"],
        vec!["ls", to],
        vec!["ls", to, "--size"],
        vec!["ls", to, &kinds, "-A", "-o", "json"],
        vec!["ls", to, &kinds, "-A", "-o", "wide"],
        vec!["get", to, &kinds, "-A"],
        vec!["get", to, &kinds, "-A", "-o", "json"],
        vec!["get", to, &kinds, "-A", "--clean"],
        vec!["diff", from, to, "--names"],
        vec!["diff", from, to, "-o", "json"],
    ];
    let secret = |name: &&str| {
        let kind = name.split(['/', '.']).next().unwrap_or_default();
        matches!(
            kind,
            "secret" | "route" | "oauthclient" | "oauthaccesstoken" | "buildconfig" | "configmap"
        )
    };
    let parts: Vec<Vec<&str>> = names
        .lines()
        .filter(secret)
        .filter(|name| !name.contains('<')) // a masked name leads nowhere
        .take(12)
        .map(|name| name.split('/').collect())
        .collect();
    for parts in &parts {
        let (kind, name) = (parts[0], parts[parts.len() - 1]);
        let namespaced = parts.len() == 3;
        let in_namespace = || namespaced.then_some(["-n", parts[1]]).into_iter().flatten();
        let mut history = vec!["history", to, kind, name];
        history.extend(in_namespace());
        asked.push(history.clone());
        history.extend(["-o", "json"]);
        asked.push(history);
    }
    let both: Vec<[String; 2]> = parts
        .iter()
        .map(|parts| [parts[0].to_owned(), parts[1..].join("/")])
        .collect();
    for [kind, name] in &both {
        asked.push(vec!["diff", from, to, "--object", kind, name]);
    }
    let mut answers: Vec<(String, Vec<u8>)> = Vec::new();
    for arguments in asked {
        answers.push((arguments.join(" "), said(env, &arguments)));
    }
    let report = env.text("report.html");
    env.run(&["report", "--to", &report, "--as-of", SOON]);
    for file in [report, env.text("catalogue.redb")] {
        let bytes = std::fs::read(&file).expect("it was written");
        answers.push((file, bytes));
    }
    answers
}

#[test]
fn no_secret_of_a_real_cluster_comes_out() {
    for [from, to] in [["prod-421", "prod-421-later"], ["cbc-421", "gcm-421"]] {
        let mut marks = secrets(from);
        marks.extend(secrets(to));
        assert!(marks.len() > 60, "{}", marks.len());
        let env = TestEnv::new();
        let [from, to] = [from, to].map(|cluster| put(&env, cluster));
        for (what, said) in everything(&env, &from, &to) {
            assert_none(&said, &marks, &what);
        }
        // The marks are such that they would be found.
        let shown = get_all(&env, &to, "secrets").stdout;
        let found = marks
            .iter()
            .filter(|mark| memmem::find(shown.as_bytes(), mark).is_some());
        assert!(found.count() > 20);
    }
}

/// In every field that is secret, and nowhere else.
const HIDDEN: &str = "hidden-from-everybody";

/// Objects whose every secret field holds [`HIDDEN`] and this word.
fn hiding(word: &str) -> Vec<(String, Vec<u8>)> {
    let hidden = format!("{HIDDEN}-{word}");
    let base64 = BASE64.encode(hidden.as_bytes());
    let applied = json!({"kind": "Secret", "stringData": {"a": hidden}, "data": {"b": base64}});
    let meta = json!({
        "name": "one", "namespace": "shop",
        "annotations": {"kubectl.kubernetes.io/last-applied-configuration": applied.to_string()},
    });
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": meta,
        "data": {"b": base64}, "stringData": {"a": hidden},
    });
    let route = json!({
        "apiVersion": "route.openshift.io/v1", "kind": "Route", "metadata": meta,
        "spec": {"host": word, "tls": {"termination": "edge", "key": hidden}},
    });
    let named = json!({"name": hidden});
    let access = json!({
        "apiVersion": "oauth.openshift.io/v1", "kind": "OAuthAccessToken", "metadata": named,
        "userName": word, "authorizeToken": hidden, "refreshToken": hidden,
    });
    let authorize = json!({
        "apiVersion": "oauth.openshift.io/v1", "kind": "OAuthAuthorizeToken", "metadata": named,
        "userName": word, "state": hidden, "codeChallenge": hidden,
    });
    let client = json!({
        "apiVersion": "oauth.openshift.io/v1", "kind": "OAuthClient",
        "metadata": {"name": "one"}, "secret": hidden, "additionalSecrets": [hidden],
        "grantMethod": word,
    });
    let triggers = ["github", "generic", "gitlab", "bitbucket"];
    let triggers: Vec<Value> = triggers
        .into_iter()
        .map(|kind| json!({"type": kind, kind: {"secret": hidden}}))
        .collect();
    let config = json!({
        "apiVersion": "build.openshift.io/v1", "kind": "BuildConfig", "metadata": meta,
        "spec": {"triggers": triggers, "runPolicy": word},
    });
    let template = json!({
        "apiVersion": "template.openshift.io/v1", "kind": "Template",
        "metadata": {"name": "one", "namespace": "shop"}, "message": word,
        "objects": [secret, route, client, config],
    });
    let objects = [
        ("/kubernetes.io/secrets/shop/one".to_owned(), secret),
        ("/openshift.io/routes/shop/one".to_owned(), route),
        (format!("/openshift.io/oauth/accesstokens/{hidden}"), access),
        (
            format!("/openshift.io/oauth/authorizetokens/{hidden}"),
            authorize,
        ),
        ("/openshift.io/oauth/clients/one".to_owned(), client),
        ("/openshift.io/buildconfigs/shop/one".to_owned(), config),
        ("/openshift.io/templates/shop/one".to_owned(), template),
    ];
    objects
        .into_iter()
        .map(|(key, object)| (key, object.to_string().into_bytes()))
        .collect()
}

#[test]
fn no_secret_field_comes_out_by_any_command() {
    let env = TestEnv::new();
    let (early, late) = (hiding("early"), hiding("late"));
    let from = made::put(&env, "from", &early);
    let to = made::put(&env, "to", &[early, late].concat());
    let base64 = BASE64.encode(HIDDEN.as_bytes());
    let hex = HEXLOWER.encode(HIDDEN.as_bytes());
    // The last characters of base64 depend on what follows.
    let marks = [
        HIDDEN,
        base64.trim_end_matches('=').trim_end_matches('5'),
        &hex,
    ];
    let marks: BTreeSet<Vec<u8>> = marks.map(|mark| mark.as_bytes().to_vec()).into();
    for (what, said) in everything(&env, &from, &to) {
        assert_none(&said, &marks, &what);
    }
    let kinds = "secret,route,oauthaccesstokens,oauthauthorizetokens,oauthclients,bc,templates";
    let shown = said(&env, &["get", &to, kinds, "-A", "--show-secrets"]);
    let found = memmem::find_iter(&shown, HIDDEN).count();
    assert!(found > 20, "{found}");
}
