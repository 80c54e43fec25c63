//! Is the API server away for the moment? Read from what `oc` said last.

use super::error::RunError;
use super::words::is_talk;

/// Words of `oc`, of the API server and of a kubelet behind it that pass when one waits.
///
/// ```text
/// The connection to the server 127.0.0.1:9 was refused - did you specify the right host or port?
/// Unable to connect to the server: context deadline exceeded (Client.Timeout exceeded while awaiting headers)
/// Unable to connect to the server: http2: client connection lost
/// Error from server: error dialing backend: dial tcp 192.0.2.11:10250: connect: no route to host
/// ```
const PASSING: [&str; 24] = [
    "was refused - did you specify",
    "connection refused",
    "connection reset",
    "connection lost",
    "connection timed out",
    "broken pipe",
    "no route to host",
    "network is unreachable",
    "no such host",
    "server misbehaving",
    "temporary failure in name resolution",
    "i/o timeout",
    "TLS handshake timeout",
    "Client.Timeout",
    "context deadline exceeded",
    "unexpected EOF",
    ": EOF",
    "error dialing backend",
    "(ServiceUnavailable)",
    "(InternalError)",
    "(Timeout)",
    "(TooManyRequests)",
    "currently unable to handle the request",
    "etcdserver: ",
];

/// Exit code of a command whose container was removed while it ran: 128 and SIGKILL.
const KILLED: i32 = 137;

/// What looks like one of them and will not pass.
const LASTING: [&str; 2] = ["x509:", "localhost:8080"];

impl RunError {
    /// True when the same call may well succeed in a moment: the API server, or the way to it, is away or slow.
    pub(crate) fn is_away(&self) -> bool {
        match self {
            Self::TooLong { .. } | Self::Stalled { .. } => true,
            Self::Failed { stderr, .. } => {
                let says = |texts: &[&str]| texts.iter().any(|text| stderr.contains(text));
                says(&PASSING) && !says(&LASTING)
            }
            _ => false,
        }
    }

    /// True when the API server answers and the node does not.
    pub(crate) fn is_node_away(&self) -> bool {
        self.stderr().contains("error dialing backend")
    }

    /// True when the pod that was to run a command is not there, or runs no more.
    ///
    /// ```text
    /// Error from server (NotFound): pods "p" not found
    /// error: cannot exec into a container in a completed pod; current phase is Succeeded
    /// error: unable to upgrade connection: container not found ("container-00")
    /// ```
    pub(crate) fn is_pod_gone(&self) -> bool {
        let stderr = self.stderr();
        let says = [
            "in a completed pod",
            "container not found",
            "pod does not exist",
            "container is not running",
        ];
        let is_killed = matches!(
            self,
            Self::Failed {
                code: Some(KILLED),
                ..
            }
        );
        is_killed || self.is_missing_object() || says.iter().any(|text| stderr.contains(text))
    }

    /// True when the way to the command was there, and it failed by itself.
    pub(crate) fn is_of_the_command(&self) -> bool {
        matches!(self, Self::Failed { .. }) && !self.is_away() && !self.is_pod_gone()
    }

    /// True when it was given up because it took too long: more time may be all that it needs.
    pub(super) fn is_slow(&self) -> bool {
        let stderr = self.stderr();
        let says_so = ["Client.Timeout", "context deadline exceeded"];
        matches!(self, Self::TooLong { .. }) || says_so.iter().any(|text| stderr.contains(text))
    }

    /// Why in a few words: the last line that was said and is not oc's own talk, or the message.
    pub(crate) fn reason(&self) -> String {
        let lines = || self.stderr().lines().rev();
        let last = lines()
            .find(|line| !line.trim().is_empty() && !is_talk(line))
            .or_else(|| lines().find(|line| !line.trim().is_empty()));
        match (self, last) {
            (_, Some(line)) => line.trim().to_owned(),
            (Self::TooLong { after, .. }, None) => {
                format!("no answer within {} s", after.as_secs())
            }
            (Self::Stalled { after, .. }, None) => format!("silent for {} s", after.as_secs()),
            (error, None) => error.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(stderr: &str) -> RunError {
        RunError::Failed {
            command: "oc get nodes".to_owned(),
            status: "exit code 1".to_owned(),
            code: Some(1),
            stderr: stderr.to_owned(),
        }
    }

    #[test]
    fn what_passes_is_told_from_what_stays() {
        let passing = [
            "The connection to the server 127.0.0.1:9 was refused - did you specify the right host or port?",
            "Unable to connect to the server: context deadline exceeded (Client.Timeout exceeded while awaiting headers)",
            "Unable to connect to the server: http2: client connection lost",
            "Error from server: error dialing backend: dial tcp 192.0.2.11:10250: connect: no route to host",
            "Error from server (ServiceUnavailable): the server is currently unable to handle the request",
            "error: unable to upgrade connection: Get \"https://192.0.2.1\": EOF",
        ];
        for text in passing {
            assert!(failed(text).is_away(), "{text}");
        }
        let lasting = [
            "Unable to connect to the server: tls: failed to verify certificate: x509: certificate signed by unknown authority",
            "The connection to the server localhost:8080 was refused - did you specify the right host or port?",
            "Error from server (NotFound): pods \"gone\" not found",
            "Error from server (Forbidden): pods is forbidden: User \"u\" cannot create resource \"pods\"",
            "command terminated with exit code 7",
            "error: You must be logged in to the server (Unauthorized)",
        ];
        for text in lasting {
            assert!(!failed(text).is_away(), "{text}");
        }
    }

    #[test]
    fn the_reason_is_the_last_line_that_is_no_talk() {
        let rows = [
            (
                "rm: cannot remove '/home/core/x': Read-only file system\ncommand terminated with exit code 1",
                "rm: cannot remove '/home/core/x': Read-only file system",
            ),
            (
                "command terminated with exit code 7\n",
                "command terminated with exit code 7",
            ),
            ("", "`oc get nodes` ended with exit code 1"),
        ];
        for (stderr, reason) in rows {
            assert_eq!(failed(stderr).reason(), reason);
        }
    }
}
