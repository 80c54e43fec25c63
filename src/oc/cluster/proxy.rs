//! The cluster's proxy, as the script on the host needs it.

use super::types::ProxyStatus;

/// Where machine-config writes the same variables on every host of a cluster with a proxy.
const HOST_PROXY_FILE: &str = "/etc/mco/proxy.env";

/// How the script gets the proxy variables.
#[derive(Clone, Eq, PartialEq)]
pub(crate) enum Proxy {
    /// No proxy.
    Off,
    /// `NAME=value` words, none of them secret.
    Variables(Vec<String>),
    /// A proxy URL holds credentials: they would stand in local process lists and in the API server's audit log.
    /// The host reads its own copy instead.
    HostFile,
}

impl Proxy {
    pub(super) fn from_status(status: &ProxyStatus) -> Self {
        let urls = [&status.http_proxy, &status.https_proxy];
        if urls.iter().all(|url| url.is_empty()) {
            return Self::Off;
        }
        if urls.iter().any(|url| url.contains('@')) {
            return Self::HostFile;
        }
        let variables = [
            ("HTTP_PROXY", &status.http_proxy),
            ("HTTPS_PROXY", &status.https_proxy),
            ("NO_PROXY", &status.no_proxy),
        ];
        let is_set = |(_, value): &(&str, &String)| !value.is_empty();
        Self::Variables(
            variables
                .into_iter()
                .filter(is_set)
                .map(|(name, value)| format!("{name}={value}"))
                .collect(),
        )
    }

    /// The words that run `script` on the host with these variables.
    pub(crate) fn wrap(&self, script: &[&str]) -> Vec<String> {
        let own = |words: &[&str]| {
            words
                .iter()
                .map(|&word| word.to_owned())
                .collect::<Vec<_>>()
        };
        let mut words = match self {
            Self::Off => Vec::new(),
            Self::Variables(variables) => {
                let mut words = own(&["env"]);
                words.extend(variables.iter().cloned());
                words
            }
            // Not sourced: systemd's EnvironmentFile syntax leaves `&` and `$` bare. `"$@"` is the script.
            Self::HostFile => own(&[
                "sh",
                "-c",
                &format!(
                    "while IFS= read -r line; do case $line in HTTP_PROXY=*|HTTPS_PROXY=*|NO_PROXY=*) \
                     export \"$line\";; esac; done <{HOST_PROXY_FILE}; exec \"$@\""
                ),
                "sh",
            ]),
        };
        words.extend(own(script));
        words
    }
}

impl std::fmt::Debug for Proxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Off => "Off",
            Self::Variables(_) => "Variables",
            Self::HostFile => "HostFile",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(http: &str, https: &str, no: &str) -> ProxyStatus {
        ProxyStatus {
            http_proxy: http.to_owned(),
            https_proxy: https.to_owned(),
            no_proxy: no.to_owned(),
        }
    }

    #[test]
    fn effective_values_are_exported_and_empty_ones_are_not() {
        let proxy = Proxy::from_status(&status("http://p:3128", "", ".cluster.local,10.0.0.0/16"));
        let expected = [
            "env",
            "HTTP_PROXY=http://p:3128",
            "NO_PROXY=.cluster.local,10.0.0.0/16",
            "s",
            "d",
        ];
        assert_eq!(proxy.wrap(&["s", "d"]), expected);
        assert_eq!(Proxy::from_status(&status("", "", ".svc")), Proxy::Off);
        assert_eq!(Proxy::Off.wrap(&["s", "d"]), ["s", "d"]);
    }

    #[test]
    fn credentials_never_become_arguments() {
        let proxy = Proxy::from_status(&status("http://user:hunter2@p:3128", "http://p:3128", ""));
        assert_eq!(proxy, Proxy::HostFile);
        assert!(!proxy.wrap(&["s"]).concat().contains("hunter2"));
    }
}
