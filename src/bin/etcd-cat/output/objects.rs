//! Objects themselves: as the API server would print them, one or a list.

use super::Format;
use super::text::safe;
use etcd_cat::objects::{Masker, Object, Place, Resource, json, yaml};

/// How an object is called: `kind/namespace/name`, the kind with its group as `kubectl` has it. Names of OAuth tokens are
/// masked.
pub(crate) fn object_name(resource: &Resource, place: &Place, masker: &mut Masker) -> String {
    let mut name = resource.singular.clone();
    if !resource.group.is_empty() {
        name.push('.');
        name.push_str(&resource.group);
    }
    let parts = [place.namespace.clone(), Some(own_name(place, masker))];
    for part in parts.into_iter().flatten() {
        name.push('/');
        name.push_str(&part);
    }
    name
}

/// The name alone, masked where it is secret.
pub(crate) fn own_name(place: &Place, masker: &mut Masker) -> String {
    if place.has_secret_name() {
        masker.text(&place.name).to_string()
    } else {
        place.name.clone()
    }
}

/// The text of one object or of a `v1` `List`, made object by object: none of them is held longer than that takes.
#[derive(Debug)]
pub(crate) struct ObjectsText {
    format: Format,
    is_list: bool,
    text: String,
    count: usize,
}

const JSON_HEAD: &str = "{\n    \"apiVersion\": \"v1\",\n    \"kind\": \"List\",\n    \"metadata\": {\n        \"resourceVersion\": \"\"\n    },\n    \"items\": [";
const YAML_HEAD: &str = "apiVersion: v1\nkind: List\nmetadata:\n  resourceVersion: \"\"\nitems:";

impl ObjectsText {
    pub(crate) fn new(format: Format, is_list: bool) -> Self {
        Self {
            format,
            is_list,
            text: String::new(),
            count: 0,
        }
    }

    /// Adds an object, called so.
    pub(crate) fn push(&mut self, object: &Object, name: &str) {
        match self.format {
            Format::Name => {
                self.text.push_str(&safe(name));
                self.text.push('\n');
            }
            Format::Json if self.is_list => {
                let comma = if self.count > 0 { "," } else { "" };
                let printed = json::print(&object.fields);
                self.text.push_str(comma);
                self.text.push('\n');
                self.text
                    .push_str(&indented(&printed, "        ", "        "));
            }
            Format::Json => self.text.push_str(&(json::print(&object.fields) + "\n")),
            _ if self.is_list => {
                let printed = yaml::print(&object.fields);
                self.text.push('\n');
                self.text.push_str(&indented(&printed, "- ", "  "));
            }
            _ => self.text.push_str(&yaml::print(&object.fields)),
        }
        self.count += 1;
    }

    /// The whole text, with its final newline.
    pub(crate) fn finish(self) -> String {
        let text = self.text;
        match (self.format, self.is_list, self.count) {
            (Format::Name, ..) | (_, false, _) => text,
            (Format::Json, true, 0) => format!("{JSON_HEAD}]\n}}\n"),
            (Format::Json, true, _) => format!("{JSON_HEAD}{text}\n    ]\n}}\n"),
            (_, true, 0) => format!("{YAML_HEAD} []\n"),
            (_, true, _) => format!("{YAML_HEAD}{text}\n"),
        }
    }
}

/// The lines of a document further to the right. Texts in it keep their meaning: JSON has no line breaks in texts, and
/// YAML's are told by how much further to the right they stand.
fn indented(document: &str, first: &str, others: &str) -> String {
    let mut text = String::with_capacity(document.len() + document.len() / 4);
    for (number, line) in document
        .strip_suffix('\n')
        .unwrap_or(document)
        .split('\n')
        .enumerate()
    {
        if number > 0 {
            text.push('\n');
        }
        if !line.is_empty() {
            text.push_str(if number == 0 { first } else { others });
        }
        text.push_str(line);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use etcd_cat::objects::{decode, list};

    #[test]
    fn a_list_is_printed_piece_by_piece_as_it_is_printed_whole() {
        let stored = [
            r#"{"kind":"A","data":{"text":"one\n\n  two\n","other":"x\n","none":{}}}"#,
            r#"{"kind":"B","items":[{"a":[1,2]},[]],"text":"\n leading\n\n"}"#,
        ];
        for count in 0..=stored.len() {
            let objects = || {
                let stored = stored.iter().take(count);
                stored.map(|stored| decode(stored.as_bytes()).expect("is JSON"))
            };
            for (format, whole) in [
                (Format::Json, json::print(&list(objects())) + "\n"),
                (Format::Yaml, yaml::print(&list(objects()))),
            ] {
                let mut text = ObjectsText::new(format, true);
                objects().for_each(|object| text.push(&object, ""));
                assert_eq!(text.finish(), whole);
            }
        }
    }
}
