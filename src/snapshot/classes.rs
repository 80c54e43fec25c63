//! Kinds of values, numbered: of which resource, and encrypted by whom.

use super::facts::{Flavour, KindContent};
use crate::etcd::LiveValues;
use crate::kubernetes::encryption::{EncryptedValue, StoredValue};
use crate::kubernetes::encryption::{EncryptionUse, IDENTITY};
use crate::kubernetes::storage_key::resource_of;
use crate::objects::Place;
use foldhash::quality::RandomState;
use std::collections::{BTreeMap, HashMap};

/// Kinds told apart. A cluster has some 300 resources and a handful of keys.
const MAX_CLASSES: usize = 4096;
/// ValueClass of keys that hold no object.
pub(super) const NO_OBJECT: u16 = 0;

/// Where the keys of API servers begin.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Prefix {
    Registry,
    KubernetesIo,
    OpenshiftIo,
}

/// The group of the objects by which OpenShift 4 describes itself.
const CONFIG_GROUP: &str = ".config.openshift.io";

/// One kind of value.
#[derive(Debug)]
struct ValueClass {
    prefix: Prefix,
    resource: String,
    /// As people call it, with the group that the storage key does not tell.
    plural: String,
    group: String,
    /// Provider and key name.
    sealed: Option<(String, String)>,
}

/// The kinds seen so far.
#[derive(Debug, Default)]
pub(super) struct ValueClasses {
    numbers: HashMap<Vec<u8>, u16, RandomState>,
    classes: Vec<ValueClass>,
    scratch: Vec<u8>,
}

impl ValueClasses {
    /// The number of the kind that this key and value are of.
    pub(super) fn number(&mut self, storage_key: &[u8], stored: &StoredValue<'_>) -> u16 {
        let Some(resource) = resource_of(storage_key) else {
            return NO_OBJECT;
        };
        let sealed = match stored {
            StoredValue::Encrypted(sealed) => Some(sealed),
            _ => None,
        };
        let prefix = Prefix::of(storage_key);
        self.scratch.clear();
        self.scratch.push(match prefix {
            Prefix::Registry => b'r',
            Prefix::KubernetesIo => b'k',
            Prefix::OpenshiftIo => b'o',
        });
        self.scratch.extend_from_slice(resource.plural);
        self.scratch.push(b'/');
        self.scratch
            .extend_from_slice(resource.group.unwrap_or_default());
        if let Some(sealed) = sealed {
            self.scratch
                .extend_from_slice(format!("/{}/", sealed.provider).as_bytes());
            self.scratch.extend_from_slice(sealed.key_name);
        }
        if let Some(&number) = self.numbers.get(self.scratch.as_slice()) {
            return number;
        }
        self.add(storage_key, prefix, resource.to_string(), sealed)
    }

    fn add(
        &mut self,
        storage_key: &[u8],
        prefix: Prefix,
        resource: String,
        sealed: Option<&EncryptedValue<'_>>,
    ) -> u16 {
        let Some(number) = u16::try_from(self.classes.len() + 1)
            .ok()
            .filter(|_| self.classes.len() < MAX_CLASSES)
        else {
            return NO_OBJECT;
        };
        let sealed = sealed.map(|sealed| (sealed.provider.to_string(), sealed.key_text()));
        let [plural, group] = match Place::of(storage_key) {
            Some(place) => [place.plural, place.group],
            None => [resource.clone(), String::new()],
        };
        self.classes.push(ValueClass {
            prefix,
            resource,
            plural,
            group,
            sealed,
        });
        self.numbers.insert(self.scratch.clone(), number);
        number
    }

    /// One more than the largest number given.
    pub(super) fn len(&self) -> usize {
        self.classes.len() + 1
    }

    /// The resource of a class as `EncryptionConfiguration` spells it.
    pub(super) fn resource(&self, number: u16) -> Option<&str> {
        let class = self.classes.get(usize::from(number).checked_sub(1)?)?;
        Some(&class.resource)
    }

    /// Resource, provider and key name of a class of encrypted values.
    pub(super) fn sealed(&self, number: u16) -> Option<(&str, &str, &str)> {
        let class = self.classes.get(usize::from(number).checked_sub(1)?)?;
        let (provider, key_name) = class.sealed.as_ref()?;
        Some((&class.resource, provider, key_name))
    }

    /// Whose keys fill the snapshot, from the live keys of each class. Where keys may be lost, what is absent proves
    /// nothing.
    pub(super) fn flavour(&self, live: &[LiveValues], is_complete: bool) -> Flavour {
        let has = |is_it: &dyn Fn(&ValueClass) -> bool| {
            let mut classes = self.with_counts(live);
            classes.any(|(class, values)| values.keys > 0 && is_it(class))
        };
        let has_openshift = has(&|class| class.prefix == Prefix::OpenshiftIo);
        if has_openshift || has(&|class| class.prefix == Prefix::KubernetesIo) {
            let is_openshift_4 = has(&|class| class.resource.ends_with(CONFIG_GROUP));
            match (is_openshift_4 || !is_complete, has_openshift) {
                (true, _) => Flavour::OpenShift,
                (false, true) => Flavour::OpenShift3,
                (false, false) => Flavour::KubernetesIo,
            }
        } else if has(&|class| class.prefix == Prefix::Registry) {
            Flavour::Kubernetes
        } else {
            Flavour::Other
        }
    }

    /// How live values are stored, for each resource that has any encrypted one.
    pub(super) fn encryption(&self, live: &[LiveValues]) -> Vec<EncryptionUse> {
        let mut resources: BTreeMap<&str, Vec<EncryptionUse>> = BTreeMap::new();
        for (class, values) in self.with_counts(live).filter(|(_, live)| live.keys > 0) {
            let (provider, key_name) = class
                .sealed
                .clone()
                .unwrap_or_else(|| (IDENTITY.to_owned(), String::new()));
            let resource = class.resource.clone();
            resources
                .entry(&class.resource)
                .or_default()
                .push(EncryptionUse {
                    resource,
                    provider,
                    key_name,
                    values: values.keys,
                });
        }
        resources.retain(|_, uses| uses.iter().any(EncryptionUse::is_encrypted));
        let mut uses: Vec<_> = resources.into_values().flatten().collect();
        uses.sort();
        uses
    }

    /// What is alive of each resource, by its name.
    pub(super) fn kinds(&self, live: &[LiveValues]) -> Vec<KindContent> {
        let mut kinds: BTreeMap<[&str; 2], KindContent> = BTreeMap::new();
        for (class, live) in self.with_counts(live).filter(|(_, live)| live.keys > 0) {
            let [plural, group] = [&*class.plural, &*class.group];
            let kind = kinds.entry([plural, group]).or_insert_with(|| KindContent {
                plural: plural.to_owned(),
                group: group.to_owned(),
                ..KindContent::default()
            });
            kind.objects += live.keys;
            kind.value_bytes += live.bytes;
            kind.newest_revision = kind.newest_revision.max(live.newest_main);
        }
        kinds.into_values().collect()
    }

    fn with_counts<'a>(
        &'a self,
        live: &'a [LiveValues],
    ) -> impl Iterator<Item = (&'a ValueClass, LiveValues)> {
        self.classes.iter().zip(live.iter().skip(1).copied())
    }
}

impl Prefix {
    /// Of a key that holds an object.
    fn of(storage_key: &[u8]) -> Self {
        match storage_key.get(1) {
            Some(b'r') => Self::Registry,
            Some(b'o') => Self::OpenshiftIo,
            _ => Self::KubernetesIo,
        }
    }
}
