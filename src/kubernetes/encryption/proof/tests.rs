use super::*;
use crate::kubernetes::encryption::config::EncryptionConfig;
use crate::kubernetes::encryption::inner_ring::{
    ACCESS_TOKENS, CONFIG_FIELD, KEY_FIELD, MODE_ANNOTATION, ROUTES,
};
use crate::secret::Secret;
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
    format!(r#"{{"resources":[{{"resources":["{resource}"],"providers":[{{"aesgcm":{keys}}}]}}]}}"#)
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
            &secret(
                b"",
                b"tls.crt",
                include_bytes!("../../certificate_test.pem"),
            ),
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

fn line(sealed: &Sealed) -> KeyProofLine {
    let proof = prove(&[usage("secrets", "7")], sealed, Some(&ring(1))).proof;
    proof.lines.into_iter().next().expect("one use, one line")
}

#[test]
fn a_value_that_does_not_open_among_others_is_damaged_and_the_key_is_right() {
    let other = |key: u8, name: &str, plain: &[u8]| {
        seal(
            key,
            "7",
            "secrets",
            &format!("/kubernetes.io/secrets/ns/{name}"),
            plain,
        )
    };
    let mut sealed = sealed();
    sealed.samples.push(other(8, "shut", b"k8s\0"));
    sealed.samples.push(other(1, "empty", b""));
    let damaged = [
        "/kubernetes.io/secrets/ns/shut",
        "/kubernetes.io/secrets/ns/empty",
    ];
    let found = line(&sealed);
    assert_eq!((found.tried, found.outcome), (3, KeyOutcome::Decrypted));
    assert_eq!(found.damaged.keys, damaged);
    assert_eq!(found.mismatched.count, 0);
    // Where it opens none, nobody can tell damage from another key.
    sealed
        .samples
        .retain(|sample| sample.storage_key.ends_with(b"shut"));
    let found = line(&sealed);
    assert_eq!(
        (found.outcome, found.damaged.count),
        (KeyOutcome::KeyWrong, 0)
    );
}

#[test]
fn a_value_that_opens_to_another_object_than_its_place_says_is_told() {
    let plain = br#"{"apiVersion":"v1","kind":"Secret","metadata":{"name":"n","namespace":"ns"}}"#;
    let mut sealed = sealed();
    sealed.samples = ["n", "m"]
        .map(|name| {
            seal(
                1,
                "7",
                "secrets",
                &format!("/kubernetes.io/secrets/ns/{name}"),
                plain,
            )
        })
        .into();
    let found = line(&sealed);
    assert_eq!(
        (found.outcome, found.damaged.count),
        (KeyOutcome::Decrypted, 0)
    );
    assert_eq!(found.mismatched.keys, ["/kubernetes.io/secrets/ns/m"]);
}

#[test]
fn a_proof_of_every_value_is_not_replaced_by_one_of_a_few() {
    let few = prove(&[usage("secrets", "7")], &sealed(), Some(&ring(1))).proof;
    let odd = OddValues {
        resource: "secrets".to_owned(),
        provider: "aesgcm".to_owned(),
        key_name: "7".to_owned(),
        damaged: NamedValues {
            count: 1,
            keys: vec!["/kubernetes.io/secrets/ns/x".to_owned()],
        },
        mismatched: NamedValues::default(),
    };
    let uses = [EncryptionUse {
        values: 40,
        ..usage("secrets", "7")
    }];
    let mut all = few.clone();
    enter_everything(&mut all, &uses, std::slice::from_ref(&odd));
    assert_eq!(all.lines.first().map(|line| line.tried), Some(40));
    assert_eq!(
        all.lines.first().map(|line| &line.damaged),
        Some(&odd.damaged)
    );
    let mut again = few.clone();
    again.keep_from(&all);
    assert_eq!(again, all);
    // A reading of all of them with nothing odd clears what was odd before.
    enter_everything(&mut again, &uses, &[]);
    assert_eq!(again.lines.first().map(|line| line.damaged.count), Some(0));
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
