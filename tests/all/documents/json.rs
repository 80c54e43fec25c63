//! `docs/json.md`, made from the structs of the documents; and the documents themselves, held against it.

use super::schema::{Kind, Object, Schema};
use super::{assert_made, text};
use crate::cli::environment::{SOON, TestEnv};
use crate::support::samples;
use etcd_cat::finding::Code;
use serde_json::Value;
use std::fmt::Write as _;

/// The documents, in the order of the reference, and a command that prints each.
const DOCUMENTS: [&str; 15] = [
    "BackupView",
    "BackupListView",
    "VerifyReportView",
    "ClusterListView",
    "LocationListView",
    "RestoreCheckView",
    "StageRunView",
    "ObjectListView",
    "DifferenceView",
    "BackupRunView",
    "FleetPlanView",
    "FleetWorkView",
    "FleetMergeView",
    "ExplanationView",
    "ExplanationListView",
];

const HEAD: &str = "\
# Documents

Made from the code (`ETCD_CAT_BLESS=1 cargo test --all-features --test all documents`).

`-o json` prints one document on stdout, `-o yaml` the same as YAML. A field may be added; none is ever renamed, removed or given another meaning.
Every field is always there: what is not known is `null`. Instants are RFC 3339 in UTC, digests lower-case hex, paths text in which a byte that is no
UTF-8 is escaped. The order of fields is that of the tables.

With `-o json`, the last line of stderr is one more object when something failed:

";

/// What a value can be, in words.
fn words(kind: &Kind) -> String {
    match kind {
        Kind::Text => "text".to_owned(),
        Kind::Number => "number".to_owned(),
        Kind::Boolean => "true or false".to_owned(),
        Kind::Code => "[code](findings.md)".to_owned(),
        Kind::Evidence => "text, number or list of text".to_owned(),
        Kind::Words(words) => words
            .iter()
            .map(|word| format!("`{word}`"))
            .collect::<Vec<_>>()
            .join(", "),
        Kind::Object(name) => link(name),
        Kind::Nullable(inner) => format!("{}, or null", words(inner)),
        Kind::List(inner) => format!("list of {}", words(inner)),
        Kind::Map(inner) => format!("map of names to {}", words(inner)),
    }
}

fn title(name: &str) -> &str {
    name.strip_suffix("View").unwrap_or(name)
}

fn link(name: &str) -> String {
    format!("[{}](#{})", title(name), title(name).to_lowercase())
}

/// The objects that a kind consists of.
fn parts(kind: &Kind) -> Vec<String> {
    match kind {
        Kind::Object(name) => vec![name.clone()],
        Kind::Nullable(inner) | Kind::List(inner) | Kind::Map(inner) => parts(inner),
        _ => Vec::new(),
    }
}

fn table(object: &Object, schema: &Schema) -> String {
    let mut table = "| field | value | meaning |\n|---|---|---|\n".to_owned();
    for field in &object.fields {
        assert!(
            field.about.ends_with('.'),
            "the field {} has no sentence that says what it is",
            field.name
        );
        let kind = words(&schema.kind(&field.rust));
        writeln!(table, "| `{}` | {kind} | {} |", field.name, field.about)
            .expect("a string takes everything");
    }
    table
}

fn object<'s>(schema: &'s Schema, name: &str) -> &'s Object {
    let object = schema.objects.get(name);
    object.unwrap_or_else(|| panic!("no struct is called {name}"))
}

/// Documents first, then what they consist of, each where it is first needed.
fn order(schema: &Schema) -> Vec<String> {
    let mut order: Vec<String> = DOCUMENTS.map(str::to_owned).to_vec();
    let mut next = 0;
    while let Some(name) = order.get(next).cloned() {
        next += 1;
        for field in &object(schema, &name).fields {
            for part in parts(&schema.kind(&field.rust)) {
                if !order.contains(&part) {
                    order.push(part);
                }
            }
        }
    }
    order
}

/// `code` of an error, as the command names them.
fn failures() -> String {
    let source = text("src/bin/etcd-cat/error.rs");
    let mut table = "| code | meaning |\n|---|---|\n".to_owned();
    let mut about = "";
    for line in source.lines().map(str::trim) {
        if let Some(comment) = line.strip_prefix("/// ") {
            about = comment;
        } else if let Some(constant) = line.strip_prefix("pub(crate) const ")
            && let Some((_, value)) = constant.split_once(": &str = \"")
        {
            let code = value.trim_end_matches("\";");
            writeln!(table, "| `{code}` | {about} |").expect("a string takes everything");
        }
    }
    assert!(table.lines().count() > 5, "{table}");
    table
}

#[test]
fn the_reference_of_documents_is_what_the_code_prints() {
    let schema = Schema::read();
    let mut made = format!(
        "{HEAD}{}\n{}",
        table(object(&schema, "ErrorView"), &schema),
        failures()
    );
    let order = order(&schema);
    for name in &order {
        let object = object(&schema, name);
        let (title, about) = (title(name), &object.about);
        write!(
            made,
            "\n## {title}\n\n{about}\n\n{}",
            table(object, &schema)
        )
        .expect("a string takes everything");
    }
    let forgotten: Vec<_> = schema
        .objects
        .keys()
        .filter(|name| !order.contains(name) && *name != "ErrorView")
        .collect();
    assert!(forgotten.is_empty(), "in no document: {forgotten:?}");
    assert_made("docs/json.md", &made);
}

/// Stops where a value is not what the reference says.
fn assert_is(value: &Value, kind: &Kind, schema: &Schema, place: &str) {
    let is_word = |words: &[String]| {
        value
            .as_str()
            .is_some_and(|one| words.iter().any(|word| word == one))
    };
    let is_so = match kind {
        Kind::Text => value.is_string(),
        Kind::Number => value.is_number(),
        Kind::Boolean => value.is_boolean(),
        Kind::Code => value
            .as_str()
            .is_some_and(|code| code.parse::<Code>().is_ok()),
        Kind::Evidence => value.is_string() || value.is_number() || value.is_array(),
        Kind::Words(words) => is_word(words),
        Kind::Nullable(inner) => {
            if !value.is_null() {
                assert_is(value, inner, schema, place);
            }
            true
        }
        Kind::List(inner) => {
            for one in value.as_array().into_iter().flatten() {
                assert_is(one, inner, schema, place);
            }
            value.is_array()
        }
        Kind::Map(inner) => {
            for one in value.as_object().into_iter().flatten() {
                assert_is(one.1, inner, schema, &format!("{place}.{}", one.0));
            }
            value.is_object()
        }
        Kind::Object(name) => {
            assert_object(value, name, schema, place);
            true
        }
    };
    assert!(is_so, "{place}: {value} is not {kind:?}");
}

fn assert_object(value: &Value, name: &str, schema: &Schema, place: &str) {
    let fields = &object(schema, name).fields;
    let given = value
        .as_object()
        .unwrap_or_else(|| panic!("{place}: {value}"));
    let mut names: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
    names.sort_unstable();
    let mut found: Vec<&str> = given.keys().map(String::as_str).collect();
    found.sort_unstable();
    assert_eq!(found, names, "{place}");
    for field in fields {
        let place = format!("{place}.{}", field.name);
        let value = given.get(&field.name).unwrap_or(&Value::Null);
        assert_is(value, &schema.kind(&field.rust), schema, &place);
    }
}

/// Stops where a document is not what the reference says of its kind.
pub(crate) fn assert_documented(document: &Value) {
    let kind = document.get("kind").and_then(Value::as_str);
    let kind = kind.unwrap_or_else(|| panic!("no kind: {document}"));
    assert_object(document, &format!("{kind}View"), &Schema::read(), kind);
}

#[test]
fn documents_are_what_the_reference_says() {
    let schema = Schema::read();
    let env = TestEnv::healthy();
    env.put("odd/snapshot_2024-11-03_030000.db", b"no snapshot");
    let samples = samples::testdata().join("backups");
    let samples = samples.to_str().expect("a plain path");
    let (odd, staged) = (env.text("odd"), env.text("staged"));
    let (data, keys) = (env.text("data"), env.text("keys"));
    let check = ["check", "--valid-for", "4.17.3", "--cluster", "prod"];
    let stage = ["stage", "27be", "--to", &staged];
    let results = env.text("results");
    let run = env.text("results/night");
    let plan = [
        "fleet", "plan", &data, &keys, "--to", &results, "--run", "night", "--shards", "1",
    ];
    let rows: [(&str, &[&str]); 17] = [
        ("VerifyReport", &["verify", samples, "--no-catalogue"]),
        ("VerifyReport", &["verify", &odd, "--no-catalogue"]),
        ("VerifyReport", &["index", &data, &keys]),
        ("BackupList", &["list", "--valid-for", "4.17.2", "--all"]),
        ("Backup", &["show", "27be"]),
        ("RestoreCheck", &check),
        ("StageRun", &stage),
        ("ObjectList", &["ls", "27be"]),
        ("ObjectList", &["ls", "27be", "--size"]),
        ("Difference", &["diff", "27be", "27be"]),
        ("ObjectList", &["ls", "27be", "pods"]),
        ("ObjectList", &["history", "27be", "ns", "kube-system"]),
        ("FleetPlan", &plan),
        (
            "FleetWork",
            &["fleet", "work", "--plan", &run, "--shard", "0"],
        ),
        ("FleetMerge", &["fleet", "merge", "--plan", &run]),
        ("Explanation", &["explain", "truncated"]),
        ("ExplanationList", &["explain"]),
    ];
    for (kind, arguments) in rows {
        let all = [arguments, &["-o", "json", "--as-of", SOON]].concat();
        let ran = env.run(&all);
        let document: Value = ran.json();
        assert_eq!(document.get("kind"), Some(&kind.into()), "{arguments:?}");
        assert_object(&document, &format!("{kind}View"), &schema, kind);
    }
    let refused = env.run(&["show", "9999", "-o", "json"]);
    assert_object(&refused.error(), "ErrorView", &schema, "Error");
}

#[test]
fn the_document_of_a_run_is_what_the_reference_says() -> Result<(), Box<dyn std::error::Error>> {
    let schema = Schema::read();
    let night = crate::oc::command::Night::new()?;
    for more in [&["--dry-run", "-o", "json"][..], &["-o", "json", "-q"]] {
        let document = night.back_up(more)?.json()?;
        assert_object(&document, "BackupRunView", &schema, "BackupRun");
    }
    Ok(())
}
