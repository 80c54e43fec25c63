//! The proof: are the keys of the kuberesources the keys of the snapshot?
//!
//! Two stages. The kube-apiserver's keys come from the kuberesources. The keys of openshift-apiserver and
//! oauth-apiserver are in no file: they lie in Secrets inside the snapshot, sealed with the kube-apiserver's keys.
//! Key names are numbered by each API server for itself, so the two stages never share a ring.
//!
//! Nothing that was opened leaves this module: only outcomes and the calendar of certificates do.
//!
//! Source: library-go `pkg/operator/encryption/{secrets,encryptiondata}`.

use crate::kubernetes::certificate::{self, Certificate};
use crate::kubernetes::encryption::config::{EncryptionConfig, NamedKey, Provider};
use crate::kubernetes::encryption::key_ring::{KeyRing, OpenError};
use crate::kubernetes::encryption::value::{EncryptedValue, StoredValue};
use crate::kubernetes::encryption::{
    EncryptionUse, KeyOutcome, KeyProof, KeyProofLine, Sealed, SealedValue,
};
use crate::kubernetes::envelope::{self, Envelope, ObjectMeta};
use crate::secret::Secret;

const CONFIG_FIELD: &[u8] = b"encryption-config";
const KEY_FIELD: &[u8] = b"encryption.apiserver.operator.openshift.io-key";
const MODE_ANNOTATION: &str = "encryption.apiserver.operator.openshift.io/mode";

const ROUTES: &str = "routes.route.openshift.io";
const ACCESS_TOKENS: &str = "oauthaccesstokens.oauth.openshift.io";
const AUTHORIZE_TOKENS: &str = "oauthauthorizetokens.oauth.openshift.io";

/// What [`prove`] found out.
#[derive(Clone, Debug, PartialEq)]
pub struct Proven {
    /// One line for each resource, provider and key in use, in the order of the uses.
    pub proof: KeyProof,
    /// The calendar of the certificates that lay behind encryption and were opened.
    pub certificates: Vec<Certificate>,
}

/// Tries the keys of `ring` on what the snapshot kept for it. `None`: there is no configuration at hand.
pub fn prove(uses: &[EncryptionUse], sealed: &Sealed, ring: Option<&KeyRing>) -> Proven {
    let empty = KeyRing::default();
    let ring = ring.unwrap_or(&empty);
    let inner = InnerRing::open(sealed, ring);
    let encrypted = uses
        .iter()
        .filter(|usage| usage.is_encrypted() && usage.values > 0);
    let lines = encrypted
        .map(|usage| prove_use(usage, sealed, ring, &inner))
        .collect();
    let certificates = sealed
        .certificates
        .iter()
        .flat_map(|value| open_certificates(value, ring))
        .collect();
    Proven {
        proof: KeyProof { lines },
        certificates,
    }
}

fn prove_use(
    usage: &EncryptionUse,
    sealed: &Sealed,
    ring: &KeyRing,
    inner: &InnerRing,
) -> KeyProofLine {
    let ring = if is_inner(&usage.resource) {
        &inner.ring
    } else {
        ring
    };
    let samples = sealed
        .samples
        .iter()
        .filter(|sample| is_sample_of(sample, usage));
    let results: Vec<Result<(), OpenError>> = samples
        .map(|sample| {
            ring.open(&sample.resource, &sample.storage_key, sample.value.expose())
                .map(drop)
        })
        .collect();
    let mut outcome = match results.iter().filter_map(|result| result.err()).max() {
        Some(error) => outcome_of(error),
        None if results.is_empty() => presence(usage, ring),
        None => KeyOutcome::Decrypted,
    };
    if outcome == KeyOutcome::ConfigMissing && is_inner(&usage.resource) && inner.is_external {
        outcome = KeyOutcome::External;
    }
    KeyProofLine {
        resource: usage.resource.clone(),
        provider: usage.provider.clone(),
        key_name: usage.key_name.clone(),
        tried: u64::try_from(results.len()).unwrap_or(u64::MAX),
        outcome,
    }
}

fn is_sample_of(sample: &SealedValue, usage: &EncryptionUse) -> bool {
    let StoredValue::Encrypted(value) = StoredValue::parse(sample.value.expose()) else {
        return false;
    };
    sample.resource == usage.resource
        && value.key_text() == usage.key_name
        && value.provider.to_string() == usage.provider
}

/// Without a sample: is there at least a key to try?
fn presence(usage: &EncryptionUse, ring: &KeyRing) -> KeyOutcome {
    let prefix = format!("k8s:enc:{}:v1:{}:", usage.provider, usage.key_name);
    match StoredValue::parse(prefix.as_bytes()) {
        StoredValue::Encrypted(EncryptedValue {
            provider, key_name, ..
        }) => ring
            .has(&usage.resource, provider, key_name)
            .map_or_else(outcome_of, |()| KeyOutcome::Unproven),
        StoredValue::Plain | StoredValue::Malformed => KeyOutcome::External,
    }
}

fn outcome_of(error: OpenError) -> KeyOutcome {
    match error {
        OpenError::ConfigMissing => KeyOutcome::ConfigMissing,
        OpenError::KeyMissing => KeyOutcome::KeyMissing,
        OpenError::KeyWrong => KeyOutcome::KeyWrong,
        OpenError::External | OpenError::Malformed => KeyOutcome::External,
    }
}

/// Resources of the API servers whose keys lie inside the snapshot, in Secrets that the kube-apiserver encrypts.
fn is_inner(resource: &str) -> bool {
    matches!(resource, ROUTES | ACCESS_TOKENS | AUTHORIZE_TOKENS)
}

/// The ring of openshift-apiserver and oauth-apiserver.
#[derive(Default)]
struct InnerRing {
    ring: KeyRing,
    /// A configuration is there, but a key management service holds its key.
    is_external: bool,
}

impl InnerRing {
    /// Opens every configuration and key Secret: the newest configuration may lack keys that older values need.
    fn open(sealed: &Sealed, ring: &KeyRing) -> Self {
        let mut inner = Self::default();
        for value in &sealed.encryption_configs {
            let Some(place) = InnerPlace::of(&value.storage_key) else {
                continue;
            };
            match ring.open(&value.resource, &value.storage_key, value.value.expose()) {
                Ok(opened) => inner.add(place, &opened),
                Err(OpenError::External) => inner.is_external = true,
                Err(_) => {}
            }
        }
        inner
    }

    fn add(&mut self, place: InnerPlace<'_>, opened: &[u8]) {
        let Ok(Some(secret)) = Envelope::parse(opened) else {
            return;
        };
        let field = |name: &[u8]| {
            envelope::data_entries(secret.raw)
                .find(|(key, _)| *key == name)
                .map(|(_, data)| data)
        };
        match place {
            InnerPlace::Config => {
                if let Some(Ok(config)) = field(CONFIG_FIELD).map(EncryptionConfig::parse) {
                    self.ring.merge(KeyRing::new(config));
                }
            }
            InnerPlace::Key { resources, name } => {
                let Ok(meta) = ObjectMeta::of(secret.raw) else {
                    return;
                };
                let provider = field(KEY_FIELD)
                    .and_then(|key| provider(meta.annotation(MODE_ANNOTATION)?, name, key));
                if let Some(provider) = provider {
                    self.ring.add(
                        resources
                            .iter()
                            .map(|&resource| resource.to_owned())
                            .collect(),
                        provider,
                    );
                }
            }
        }
    }
}

fn provider(mode: &[u8], name: &str, key: &[u8]) -> Option<Provider> {
    let key = NamedKey {
        name: name.to_owned(),
        secret: Secret::new(key.to_vec()),
    };
    match mode {
        b"aescbc" => Some(Provider::AesCbc(key)),
        b"aesgcm" => Some(Provider::AesGcm(key)),
        b"secretbox" => Some(Provider::Secretbox(key)),
        _ => None,
    }
}

/// Which Secret lies at a storage key: a deployed configuration, or one key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum InnerPlace<'k> {
    Config,
    Key {
        resources: &'static [&'static str],
        name: &'k str,
    },
}

impl<'k> InnerPlace<'k> {
    /// `None` for the kube-apiserver's own Secrets: its keys are those in the kuberesources, or the restore fails.
    fn of(storage_key: &'k [u8]) -> Option<Self> {
        let key = std::str::from_utf8(storage_key).ok()?;
        let (_, path) = key.split_once("/secrets/")?;
        let (namespace, name) = path.split_once('/')?;
        match namespace {
            "openshift-apiserver" | "openshift-oauth-apiserver" => name
                .starts_with("encryption-config-")
                .then_some(Self::Config),
            "openshift-config-managed" => Self::managed(name),
            _ => None,
        }
    }

    fn managed(name: &'k str) -> Option<Self> {
        if let Some(server) = name.strip_prefix("encryption-config-") {
            let is_inner = matches!(server, "openshift-apiserver" | "openshift-oauth-apiserver");
            return is_inner.then_some(Self::Config);
        }
        let (server, id) = name.strip_prefix("encryption-key-")?.rsplit_once('-')?;
        let is_decimal = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
        let resources: &[&str] = match server {
            // Up to 4.7 this server held the tokens too; its configurations say so themselves.
            "openshift-apiserver" => &[ROUTES],
            "openshift-oauth-apiserver" => &[ACCESS_TOKENS, AUTHORIZE_TOKENS],
            _ => return None,
        };
        is_decimal.then_some(Self::Key {
            resources,
            name: id,
        })
    }
}

fn open_certificates(value: &SealedValue, ring: &KeyRing) -> Vec<Certificate> {
    let Ok(opened) = ring.open(&value.resource, &value.storage_key, value.value.expose()) else {
        return Vec::new();
    };
    match Envelope::parse(&opened) {
        Ok(Some(object)) => certificate::parse_object(&value.storage_key, object.raw),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aes_gcm::aead::{Aead, Payload};
    use aes_gcm::{Aes256Gcm, KeyInit};

    fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
        let low = u8::try_from(bytes.len() % 128).expect("seven bits") | 0x80;
        let high = u8::try_from(bytes.len() / 128).expect("short test message");
        [[number << 3 | 2, low, high].as_slice(), bytes].concat()
    }

    fn secret(mode: &[u8], key: &[u8], data: &[u8]) -> Vec<u8> {
        let annotation = field(
            12,
            &[field(1, MODE_ANNOTATION.as_bytes()), field(2, mode)].concat(),
        );
        let entry = field(2, &[field(1, key), field(2, data)].concat());
        [
            b"k8s\0".as_slice(),
            &field(2, &[field(1, &annotation), entry].concat()),
        ]
        .concat()
    }

    fn seal(key: u8, name: &str, resource: &str, place: &str, plain: &[u8]) -> SealedValue {
        let cipher = Aes256Gcm::new(&[key; 32].into());
        let sealed = cipher.encrypt(
            &[1; 12].into(),
            Payload {
                msg: plain,
                aad: place.as_bytes(),
            },
        );
        let prefix = format!("k8s:enc:aesgcm:v1:{name}:");
        let value = [prefix.as_bytes(), &[1; 12], &sealed.expect("seals")].concat();
        SealedValue {
            storage_key: place.into(),
            resource: resource.to_owned(),
            value: Secret::new(value),
        }
    }

    fn config(resource: &str, name: &str, key: u8) -> Vec<u8> {
        let secret = data_encoding::BASE64.encode(&[key; 32]);
        let keys = format!(r#"{{"keys":[{{"name":"{name}","secret":"{secret}"}}]}}"#);
        format!(
            r#"{{"resources":[{{"resources":["{resource}"],"providers":[{{"aesgcm":{keys}}}]}}]}}"#
        )
        .into_bytes()
    }

    fn ring(key: u8) -> KeyRing {
        KeyRing::new(EncryptionConfig::parse(&config("secrets", "7", key)).expect("is sound"))
    }

    fn usage(resource: &str, key_name: &str) -> EncryptionUse {
        let (resource, key_name) = (resource.to_owned(), key_name.to_owned());
        EncryptionUse {
            resource,
            provider: "aesgcm".to_owned(),
            key_name,
            values: 1,
        }
    }

    /// Secrets under key 7 of the kube-apiserver; routes under *another* key 7, told by a configuration; tokens under
    /// key 6, known from its Secret alone.
    fn sealed() -> Sealed {
        let config = secret(b"", CONFIG_FIELD, &config(ROUTES, "7", 2));
        let key = secret(b"aesgcm", KEY_FIELD, &[3; 32]);
        let managed = "/kubernetes.io/secrets/openshift-config-managed";
        Sealed {
            samples: vec![
                seal(1, "7", "secrets", "/kubernetes.io/secrets/ns/n", b"k8s\0"),
                seal(2, "7", ROUTES, "/openshift.io/routes/ns/n", b"k8s\0"),
                seal(
                    3,
                    "6",
                    ACCESS_TOKENS,
                    "/openshift.io/oauth/accesstokens/x",
                    b"k8s\0",
                ),
            ],
            encryption_configs: vec![
                seal(
                    1,
                    "7",
                    "secrets",
                    "/kubernetes.io/secrets/openshift-apiserver/encryption-config-3",
                    &config,
                ),
                seal(
                    1,
                    "7",
                    "secrets",
                    &format!("{managed}/encryption-key-openshift-oauth-apiserver-6"),
                    &key,
                ),
            ],
            certificates: vec![seal(
                1,
                "7",
                "secrets",
                "/kubernetes.io/secrets/ns/signer",
                &secret(b"", b"tls.crt", include_bytes!("../certificate_test.pem")),
            )],
        }
    }

    fn outcomes(sealed: &Sealed, ring: Option<&KeyRing>) -> Vec<KeyOutcome> {
        let uses = [
            usage("secrets", "7"),
            usage(ROUTES, "7"),
            usage(ACCESS_TOKENS, "6"),
            usage("secrets", "5"),
            usage("configmaps", "7"),
        ];
        prove(&uses, sealed, ring)
            .proof
            .lines
            .iter()
            .map(|line| line.outcome)
            .collect()
    }

    #[test]
    fn both_stages_are_proven_and_their_keys_of_one_name_stay_apart() {
        use KeyOutcome::{ConfigMissing, Decrypted, KeyMissing};
        let expected = [Decrypted, Decrypted, Decrypted, KeyMissing, ConfigMissing];
        assert_eq!(outcomes(&sealed(), Some(&ring(1))), expected);
    }

    #[test]
    fn a_wrong_or_absent_ring_opens_neither_stage() {
        use KeyOutcome::{ConfigMissing, KeyMissing, KeyWrong};
        let expected = [
            KeyWrong,
            ConfigMissing,
            ConfigMissing,
            KeyMissing,
            ConfigMissing,
        ];
        assert_eq!(outcomes(&sealed(), Some(&ring(9))), expected);
        assert_eq!(outcomes(&sealed(), None), [ConfigMissing; 5]);
    }

    #[test]
    fn without_a_sample_a_key_that_is_there_is_unproven() {
        let empty = Sealed::default();
        let ring = ring(1);
        assert_eq!(
            outcomes(&empty, Some(&ring)).first(),
            Some(&KeyOutcome::Unproven)
        );
    }

    #[test]
    fn one_value_that_does_not_open_is_enough_against_the_key() {
        let mut sealed = sealed();
        sealed.samples.push(seal(
            8,
            "7",
            "secrets",
            "/kubernetes.io/secrets/ns/other",
            b"k8s\0",
        ));
        assert_eq!(
            outcomes(&sealed, Some(&ring(1))).first(),
            Some(&KeyOutcome::KeyWrong)
        );
    }

    #[test]
    fn sealed_certificates_give_their_calendar_alone() {
        let proven = prove(&[], &sealed(), Some(&ring(1)));
        let places: Vec<&str> = proven
            .certificates
            .iter()
            .map(|found| found.place.as_str())
            .collect();
        assert_eq!(places, ["/kubernetes.io/secrets/ns/signer tls.crt"]);
    }
}
