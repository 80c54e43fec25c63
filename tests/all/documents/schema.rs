//! The documents of `-o json` as the code defines them: the structs whose names end in `View`, read as text.

use super::{repository, text};
use std::collections::BTreeMap;
use walkdir::WalkDir;

/// Where the structs of the documents stand.
const COMMAND: &str = "src/bin/etcd-cat";

/// An object of a document.
pub(super) struct Object {
    /// What its comment says.
    pub(super) about: String,
    pub(super) fields: Vec<Field>,
}

/// A field of an object.
pub(super) struct Field {
    /// As it stands in JSON.
    pub(super) name: String,
    /// What its comment says.
    pub(super) about: String,
    /// Its type in Rust.
    pub(super) rust: String,
}

/// What a value can be in JSON.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    Text,
    Number,
    Boolean,
    Code,
    Evidence,
    Words(Vec<String>),
    Object(String),
    Nullable(Box<Self>),
    List(Box<Self>),
    Map(Box<Self>),
}

/// All of them.
pub(super) struct Schema {
    pub(super) objects: BTreeMap<String, Object>,
    /// Values of enums that are words, by their names.
    words: BTreeMap<String, Vec<String>>,
}

impl Schema {
    pub(super) fn read() -> Self {
        let mut schema = Self {
            objects: BTreeMap::new(),
            words: BTreeMap::new(),
        };
        for file in sources("src") {
            let source = text(&file);
            for item in items(&source) {
                if item.kind == "enum" {
                    schema.words.extend(words(&item));
                } else if file.starts_with(COMMAND) && item.name.ends_with("View") {
                    let is_new = schema.objects.insert(item.name.clone(), object(&item));
                    assert!(is_new.is_none(), "two structs are called {}", item.name);
                }
            }
        }
        schema
    }

    /// The kind of a type in Rust.
    pub(super) fn kind(&self, rust: &str) -> Kind {
        let inner = |outer: &str| rust.strip_prefix(outer)?.strip_suffix('>');
        if let Some(inner) = inner("Option<") {
            return Kind::Nullable(Box::new(self.kind(inner)));
        }
        if let Some(inner) = inner("Vec<") {
            return Kind::List(Box::new(self.kind(inner)));
        }
        if let Some(inner) = inner("BTreeMap<String, ") {
            return Kind::Map(Box::new(self.kind(inner)));
        }
        match rust {
            "String" | "&'static str" | "&'m str" => Kind::Text,
            "bool" => Kind::Boolean,
            "u64" | "i64" | "u32" | "usize" | "f64" => Kind::Number,
            "Code" => Kind::Code,
            "EvidenceView" => Kind::Evidence,
            "Backups<'s>" => Kind::List(Box::new(self.kind("BackupView"))),
            name if self.objects.contains_key(name) => Kind::Object(name.to_owned()),
            name => match self.words.get(name) {
                Some(words) => Kind::Words(words.clone()),
                None => {
                    panic!("a document has a field of type {name}, which this test does not know")
                }
            },
        }
    }
}

/// A struct or an enum as it stands in a file.
struct Item<'t> {
    kind: &'t str,
    name: String,
    about: String,
    attributes: Vec<&'t str>,
    body: Vec<&'t str>,
}

/// Files of Rust below a directory, in order.
fn sources(directory: &str) -> Vec<String> {
    let files = WalkDir::new(repository(directory)).sort_by_file_name();
    let files = files.into_iter().filter_map(|entry| {
        let path = entry.expect("src can be listed").into_path();
        let path = path.strip_prefix(repository("")).expect("it lies below");
        Some(path.to_str()?.to_owned())
    });
    files.filter(|path| path.ends_with(".rs")).collect()
}

/// Structs and enums that are serialised.
fn items(source: &str) -> Vec<Item<'_>> {
    let mut found = Vec::new();
    let (mut about, mut attributes) = (String::new(), Vec::new());
    let mut lines = source.lines();
    while let Some(line) = lines.next() {
        if let Some(comment) = line.strip_prefix("///") {
            add(&mut about, comment);
        } else if line.starts_with("#[") {
            attributes.push(line);
        } else {
            if let Some((kind, name)) = head(line)
                && attributes.iter().any(|one| one.contains("Serialize"))
            {
                found.push(Item {
                    kind,
                    name: name.to_owned(),
                    about: std::mem::take(&mut about),
                    attributes: std::mem::take(&mut attributes),
                    body: lines.by_ref().take_while(|line| *line != "}").collect(),
                });
            }
            about.clear();
            attributes.clear();
        }
    }
    found
}

/// `pub(crate) struct Name<'t> {`
fn head(line: &str) -> Option<(&str, &str)> {
    let opened = line.strip_suffix(" {")?;
    let bare = ["pub ", "pub(crate) ", "pub(super) "]
        .iter()
        .find_map(|visibility| opened.strip_prefix(visibility));
    let (kind, name) = bare.unwrap_or(opened).split_once(' ')?;
    let name = name.split('<').next()?;
    matches!(kind, "struct" | "enum").then_some((kind, name))
}

fn add(text: &mut String, comment: &str) {
    if !text.is_empty() {
        text.push(' ');
    }
    text.push_str(comment.trim());
}

fn object(item: &Item<'_>) -> Object {
    let is_camel = item.attributes.iter().any(|one| one.contains("camelCase"));
    let (mut fields, mut about) = (Vec::new(), String::new());
    for line in &item.body {
        let line = line.trim();
        if let Some(comment) = line.strip_prefix("///") {
            add(&mut about, comment);
            continue;
        }
        let bare = ["pub(crate) ", "pub(super) "]
            .iter()
            .find_map(|visibility| line.strip_prefix(visibility));
        let Some((name, rust)) = bare.unwrap_or(line).split_once(": ") else {
            panic!(
                "{}: {line:?} is no field that this test can read",
                item.name
            );
        };
        // A word of the language is written with a mark before it.
        let name = name.strip_prefix("r#").unwrap_or(name);
        fields.push(Field {
            name: if is_camel {
                camel(name)
            } else {
                name.to_owned()
            },
            about: std::mem::take(&mut about),
            rust: rust.trim_end_matches(',').to_owned(),
        });
    }
    Object {
        about: item.about.clone(),
        fields,
    }
}

fn camel(name: &str) -> String {
    let mut parts = name.split('_');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |name, part| {
        let (head, tail) = part.split_at(1);
        name + &head.to_uppercase() + tail
    })
}

/// The words of an enum without fields.
fn words(item: &Item<'_>) -> Option<(String, Vec<String>)> {
    let is_lower = item
        .attributes
        .iter()
        .any(|one| one.contains("\"lowercase\""));
    let is_kebab = item
        .attributes
        .iter()
        .any(|one| one.contains("\"kebab-case\""));
    if !is_lower && !is_kebab {
        return None;
    }
    let variants = item.body.iter().filter_map(|line| {
        let name = line.trim().strip_suffix(',')?;
        name.chars().all(char::is_alphanumeric).then_some(name)
    });
    let words = variants.map(|name| match is_kebab {
        true => kebab(name),
        false => name.to_lowercase(),
    });
    Some((item.name.clone(), words.collect()))
}

fn kebab(name: &str) -> String {
    let mut word = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !word.is_empty() {
            word.push('-');
        }
        word.extend(letter.to_lowercase());
    }
    word
}
