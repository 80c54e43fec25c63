//! Profiles in `~/.aws`: the keys that stand there, and the region.

use super::options::BucketOptions;
use super::trouble::Trouble;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Of either file, more is nobody's.
const MOST_BYTES: u64 = 1 << 20;
/// Where keys come from by other ways than standing in the file.
const OTHER_WAYS: [&str; 5] = [
    "sso_session",
    "sso_start_url",
    "credential_process",
    "role_arn",
    "login_session",
];

/// An access key, its secret, and the token of a session.
pub(super) type Keys<'p> = (&'p str, &'p str, Option<&'p str>);

/// What the profile in use says.
pub(super) struct Profile {
    name: String,
    is_chosen: bool,
    settings: BTreeMap<String, String>,
}

impl Profile {
    /// Reads both files; those that are not there say nothing.
    pub(super) fn load(options: &BucketOptions) -> Self {
        let chosen = options.variable(&["AWS_PROFILE", "AWS_DEFAULT_PROFILE"]);
        let name = chosen.unwrap_or("default");
        let read = |variable: &str, file: &str| {
            let home = || {
                Some(
                    PathBuf::from(options.variable(&["HOME"])?)
                        .join(".aws")
                        .join(file),
                )
            };
            let path = options
                .variable(&[variable])
                .map(PathBuf::from)
                .or_else(home);
            path.and_then(|path| read_small(&path)).unwrap_or_default()
        };
        let section = if name == "default" {
            name.to_owned()
        } else {
            format!("profile {name}")
        };
        let mut settings = section_of(&read("AWS_CONFIG_FILE", "config"), &section);
        settings.extend(section_of(
            &read("AWS_SHARED_CREDENTIALS_FILE", "credentials"),
            name,
        ));
        Self {
            name: name.to_owned(),
            is_chosen: chosen.is_some(),
            settings,
        }
    }

    /// A setting, if the profile has it.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.settings.get(name).map(String::as_str)
    }

    /// The role and the file of the token that is shown for it: so OpenShift hands out credentials where it has no keys.
    pub(super) fn web_identity(&self) -> Option<(&str, &str)> {
        let has_keys = self.get("aws_access_key_id").is_some();
        let role = self.get("role_arn").filter(|_| !has_keys)?;
        Some((role, self.get("web_identity_token_file")?))
    }

    /// The keys that stand in the file.
    ///
    /// # Errors
    ///
    /// Somebody chose a profile whose keys are not in the file.
    pub(super) fn keys(&self) -> Result<Option<Keys<'_>>, Trouble> {
        let pair = self
            .get("aws_access_key_id")
            .zip(self.get("aws_secret_access_key"));
        if let Some((key, secret)) = pair {
            return Ok(Some((key, secret, self.get("aws_session_token"))));
        }
        let name = &self.name;
        let way = OTHER_WAYS
            .iter()
            .find(|way| self.settings.contains_key(**way));
        match way {
            Some(way) => Err(Trouble::Setup(format!(
                "the profile {name} gets its keys by {way}, which is left to the AWS CLI: run eval \"$(aws configure export-credentials --profile {name} --format env)\" first"
            ))),
            None if self.is_chosen => Err(Trouble::Setup(format!(
                "the profile {name} has no keys in ~/.aws: correct AWS_PROFILE, or run aws configure --profile {name}"
            ))),
            None => Ok(None),
        }
    }
}

fn read_small(path: &std::path::Path) -> Option<String> {
    use std::io::Read as _;
    let mut text = String::new();
    let file = std::fs::File::open(path).ok()?;
    file.take(MOST_BYTES).read_to_string(&mut text).ok()?;
    Some(text)
}

/// `name = value` lines below `[section]`. Indented lines belong to a setting above.
fn section_of(text: &str, section: &str) -> BTreeMap<String, String> {
    let mut settings = BTreeMap::new();
    let mut is_inside = false;
    for line in text.lines() {
        if line.starts_with(['#', ';', ' ', '\t']) {
            continue;
        }
        if let Some(name) = line
            .trim()
            .strip_prefix('[')
            .and_then(|line| line.strip_suffix(']'))
        {
            let words: Vec<&str> = name.split_whitespace().collect();
            is_inside = words.join(" ") == section;
        } else if let Some((name, value)) = line.split_once('=')
            && is_inside
        {
            settings.insert(name.trim().to_ascii_lowercase(), value.trim().to_owned());
        }
    }
    settings.retain(|_, value| !value.is_empty());
    settings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(name: Option<&str>, config: &str, credentials: &str) -> Profile {
        let directory = tempfile::tempdir().expect("a directory");
        let mut options = BucketOptions::default();
        for (variable, text) in [
            ("AWS_CONFIG_FILE", config),
            ("AWS_SHARED_CREDENTIALS_FILE", credentials),
        ] {
            let path = directory.path().join(variable);
            std::fs::write(&path, text).expect("can be written");
            options
                .environment
                .insert(variable.to_owned(), path.display().to_string());
        }
        if let Some(name) = name {
            options
                .environment
                .insert("AWS_PROFILE".to_owned(), name.to_owned());
        }
        Profile::load(&options)
    }

    #[test]
    fn keys_and_region_come_from_both_files() {
        let config = "[default]\nregion = eu-west-1\n[profile  prod]\nregion=us-east-2 \ns3 =\n  region = no\n";
        let credentials = "# mine\n[default]\naws_access_key_id = A\naws_secret_access_key = S\n\n[prod]\naws_access_key_id=B\naws_secret_access_key=T=\naws_session_token = U\n";
        let default = profile(None, config, credentials);
        assert_eq!(default.keys(), Ok(Some(("A", "S", None))));
        assert_eq!(default.get("region"), Some("eu-west-1"));
        let prod = profile(Some("prod"), config, credentials);
        assert_eq!(prod.keys(), Ok(Some(("B", "T=", Some("U")))));
        assert_eq!(prod.get("region"), Some("us-east-2"));
    }

    #[test]
    fn what_the_file_does_not_hold_is_said_with_the_way_around() {
        let sso = profile(Some("dev"), "[profile dev]\nsso_session = corp\n", "");
        let Err(Trouble::Setup(reason)) = sso.keys() else {
            return assert!(sso.keys().is_err());
        };
        assert!(
            reason.contains("export-credentials --profile dev"),
            "{reason}"
        );
        assert!(profile(Some("gone"), "", "").keys().is_err());
        assert_eq!(profile(None, "", "").keys(), Ok(None));
    }
}
