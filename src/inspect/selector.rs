//! Label selectors, as `kubectl -l` takes them.

use crate::objects::Object;
use std::str::FromStr;

/// What the labels of an object must be: every requirement holds.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Selector(Vec<Requirement>);

#[derive(Clone, Debug, Eq, PartialEq)]
struct Requirement {
    label: String,
    /// `None`: any value.
    values: Option<Vec<String>>,
    is_negative: bool,
}

/// A text is no selector.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "{text:?} is no label selector, expected such as app=web, app!=web, app, !app, app in (web, db)"
)]
pub struct SelectorError {
    text: String,
}

impl Selector {
    /// Does an object have such labels?
    pub fn matches(&self, object: &Object) -> bool {
        self.0.iter().all(|requirement| {
            let own = object
                .labels()
                .find(|(label, _)| *label == requirement.label);
            let is_met = own.is_some_and(|(_, own)| {
                let values = requirement.values.as_ref();
                values.is_none_or(|values| values.iter().any(|value| value == own))
            });
            is_met != requirement.is_negative
        })
    }
}

impl FromStr for Selector {
    type Err = SelectorError;

    fn from_str(text: &str) -> Result<Self, SelectorError> {
        let error = || SelectorError {
            text: text.to_owned(),
        };
        let requirements = split(text).into_iter().map(requirement);
        let requirements: Option<Vec<Requirement>> = requirements.collect();
        let requirements = requirements.filter(|all| !all.is_empty());
        requirements.map(Self).ok_or_else(error)
    }
}

/// Parts between commas that stand outside of parentheses.
fn split(text: &str) -> Vec<&str> {
    let mut is_inside = false;
    let parts = text.split(|character| {
        match character {
            '(' => is_inside = true,
            ')' => is_inside = false,
            _ => {}
        }
        character == ',' && !is_inside
    });
    parts.map(str::trim).collect()
}

fn requirement(text: &str) -> Option<Requirement> {
    let made = |label: &str, values: Option<Vec<String>>, is_negative| {
        let label = label.trim();
        let is_word = |character: char| {
            character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.' | '/')
        };
        (!label.is_empty() && label.chars().all(is_word)).then(|| Requirement {
            label: label.to_owned(),
            values,
            is_negative,
        })
    };
    let one = |value: &str| Some(vec![value.trim().to_owned()]);
    if let Some((label, values)) = text.strip_suffix(')').and_then(|text| text.split_once('(')) {
        let values = values.split(',').map(|value| value.trim().to_owned());
        let (label, word) = label.trim_end().rsplit_once(' ')?;
        return match word {
            "in" => made(label, Some(values.collect()), false),
            "notin" => made(label, Some(values.collect()), true),
            _ => None,
        };
    }
    if let Some((label, value)) = text.split_once("!=") {
        return made(label, one(value), true);
    }
    if let Some((label, value)) = text.split_once("==").or_else(|| text.split_once('=')) {
        return made(label, one(value), false);
    }
    match text.strip_prefix('!') {
        Some(label) => made(label, None, true),
        None => made(text, None, false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::decode;

    #[test]
    fn selectors_choose_as_kubectl_does() {
        let stored = br#"{"metadata":{"labels":{"app":"web","tier":"front"}}}"#;
        let object = decode(stored).expect("is JSON");
        let rows = [
            ("app=web", true),
            ("app==web", true),
            ("app=db", false),
            ("app!=db", true),
            ("other!=x", true),
            ("app", true),
            ("!app", false),
            ("!other", true),
            ("app in (db, web),tier", true),
            ("app notin (db,web)", false),
            ("app=web,tier=back", false),
        ];
        for (text, expected) in rows {
            let selector: Selector = text.parse().expect("is a selector");
            assert_eq!(selector.matches(&object), expected, "{text}");
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "=x", "a b", "a,,b", "a within (b)"] {
            assert!(text.parse::<Selector>().is_err(), "{text}");
        }
    }
}
