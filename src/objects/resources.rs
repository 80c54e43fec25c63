//! Finds the resource that somebody means, by any name that `kubectl` takes.

use super::definition::Definition;
use super::place::Place;
use super::resource::{BuiltIn, Resource};

/// Where several definitions share a name, OpenShift's configuration is meant, as `oc` has it.
const PREFERRED: &str = "config.openshift.io";

/// The built-in resources, and those that a cluster's definitions add.
#[derive(Clone, Debug)]
pub struct Resources {
    all: Vec<Resource>,
    built_in: usize,
}

/// Why a name does not lead to one resource.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FindError {
    /// Nothing is called so.
    #[error("no resource is called {word:?}")]
    Unknown {
        /// As it was asked.
        word: String,
    },
    /// Several are, and none of them comes first.
    #[error("{word:?} could be {}", candidates.join(" or "))]
    Ambiguous {
        /// As it was asked.
        word: String,
        /// The names that lead to one, sorted.
        candidates: Vec<String>,
    },
}

impl Resources {
    /// The built-in ones and those of the definitions.
    pub fn new(definitions: impl IntoIterator<Item = Definition>) -> Self {
        let mut all: Vec<Resource> = BuiltIn::all().iter().map(BuiltIn::resource).collect();
        let built_in = all.len();
        all.extend(
            definitions
                .into_iter()
                .map(|definition| definition.resource),
        );
        Self { all, built_in }
    }

    /// The resource of objects that lie there; `None` for custom resources without a definition.
    pub fn of(&self, place: &Place) -> Option<&Resource> {
        let mut all = self.all.iter();
        all.find(|own| own.plural == place.plural && own.group == place.group)
    }

    /// Finds a resource by plural, singular, kind or short name, in any case, alone or with `.group` or
    /// `.version.group` behind it.
    ///
    /// # Errors
    ///
    /// Nothing is called so, or several resources of the same rank are.
    pub fn find(&self, word: &str) -> Result<&Resource, FindError> {
        let lower = word.to_lowercase();
        let (name, group) = match lower.split_once('.') {
            Some((name, group)) => (name, Some(without_version(group))),
            None => (&*lower, None),
        };
        // Events are served under a second group.
        let group = group.map(|group| if group == "events.k8s.io" { "" } else { group });
        let is_meant =
            |own: &&Resource| own.is_called(name) && group.is_none_or(|group| group == own.group);
        let (built_in, custom) = self.all.split_at_checked(self.built_in).unwrap_or_default();
        let mut candidates: Vec<&Resource> = custom.iter().filter(is_meant).collect();
        if let Some(own) = built_in.iter().find(is_meant) {
            return Ok(own);
        }
        if let Some(preferred) = candidates.iter().find(|own| own.group == PREFERRED) {
            return Ok(preferred);
        }
        let word = word.to_owned();
        match (candidates.pop(), candidates.is_empty()) {
            (None, _) => Err(FindError::Unknown { word }),
            (Some(only), true) => Ok(only),
            (Some(last), false) => {
                let mut candidates: Vec<String> = candidates
                    .into_iter()
                    .chain([last])
                    .map(Resource::to_string)
                    .collect();
                candidates.sort();
                Err(FindError::Ambiguous { word, candidates })
            }
        }
    }
}

/// `v1.apps` and `apps` are the same group.
fn without_version(group: &str) -> &str {
    let is_version = |word: &str| {
        let digits = word.strip_prefix('v').unwrap_or_default();
        digits.starts_with(|first: char| first.is_ascii_digit())
    };
    match group.split_once('.') {
        Some((version, group)) if is_version(version) => group,
        None if is_version(group) => "",
        _ => group,
    }
}

#[cfg(test)]
mod tests {
    use super::super::resource::Scope;
    use super::*;

    fn custom(plural: &str, group: &str, short_name: &str) -> Definition {
        let kind = plural.trim_end_matches('s').to_owned();
        Definition {
            resource: Resource {
                plural: plural.to_owned(),
                group: group.to_owned(),
                singular: kind.clone(),
                kind,
                short_names: vec![short_name.to_owned()],
                scope: Scope::Namespaced,
            },
        }
    }

    fn resources() -> Resources {
        Resources::new([
            custom("widgets", "example.com", "wd"),
            custom("gadgets", "a.example.com", "gd"),
            custom("gadgets", "b.example.com", "gd"),
            custom("networks", "operator.openshift.io", ""),
            custom("networks", "config.openshift.io", ""),
            custom("ingresses", "config.openshift.io", ""),
        ])
    }

    #[test]
    fn every_name_that_kubectl_takes_leads_to_the_resource() {
        let resources = resources();
        let rows = [
            ("pods", "pods"),
            ("pod", "pods"),
            ("po", "pods"),
            ("Pod", "pods"),
            ("deploy", "deployments.apps"),
            ("deployments.apps", "deployments.apps"),
            ("deployment.v1.apps", "deployments.apps"),
            ("cm", "configmaps"),
            ("ev", "events"),
            ("events.events.k8s.io", "events"),
            ("routes.route.openshift.io", "routes.route.openshift.io"),
            ("bc", "buildconfigs.build.openshift.io"),
            ("identity", "identities.user.openshift.io"),
            ("wd", "widgets.example.com"),
            ("widgets.v1.example.com", "widgets.example.com"),
            ("gadgets.b.example.com", "gadgets.b.example.com"),
            ("networks", "networks.config.openshift.io"),
            ("ingress", "ingresses.networking.k8s.io"),
            (
                "ingresses.config.openshift.io",
                "ingresses.config.openshift.io",
            ),
        ];
        for (word, expected) in rows {
            let found = resources.find(word).map(Resource::to_string);
            assert_eq!(found.as_deref(), Ok(expected), "{word}");
        }
    }

    #[test]
    fn what_is_unknown_or_ambiguous_is_said() {
        let error = |word| {
            resources()
                .find(word)
                .map_err(|error| error.to_string())
                .err()
        };
        assert_eq!(
            error("nothing").as_deref(),
            Some("no resource is called \"nothing\"")
        );
        assert_eq!(
            error("pods.apps").as_deref(),
            Some("no resource is called \"pods.apps\"")
        );
        assert_eq!(
            error("gd").as_deref(),
            Some("\"gd\" could be gadgets.a.example.com or gadgets.b.example.com")
        );
    }

    #[test]
    fn no_two_built_in_resources_are_one() {
        let mut names: Vec<String> = BuiltIn::all()
            .iter()
            .map(|own| own.resource().to_string())
            .collect();
        names.sort();
        let all = names.len();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
