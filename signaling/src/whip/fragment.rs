//! SDP fragments that speak of ICE alone (RFC 8840 §9), as clients send them and as the server answers.

/// What a client says of its side of an ICE session. Its candidates are checked and then of no use: the server is
/// ICE-lite and answers whatever address checks come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fragment<'a> {
    /// User fragment.
    pub(super) ufrag: &'a str,
    /// Password.
    pub(super) pwd: &'a str,
}

impl<'a> Fragment<'a> {
    /// Reads a fragment; none when it is not one, or has no credentials.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let well_formed = |line: &str| match line.split_once('=') {
            Some(("a", attribute)) => attribute.strip_prefix("candidate:").is_none_or(is_candidate),
            Some((kind, _)) => kind.len() == 1,
            None => line.is_empty(),
        };
        if !text.lines().all(well_formed) {
            return None;
        }
        Self::of(text)
    }

    /// The credentials in an offer, an answer or a fragment. With bundled media the first ones are those of all.
    pub(super) fn of(text: &'a str) -> Option<Self> {
        // RFC 8839 §5.4
        let is = |value: &&str, least| {
            (least..=256).contains(&value.len())
                && value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'+' || b == b'/')
        };
        let ufrag = attribute(text, "ice-ufrag").filter(|value| is(value, 4))?;
        let pwd = attribute(text, "ice-pwd").filter(|value| is(value, 22))?;
        Some(Self { ufrag, pwd })
    }
}

/// RFC 8839 §5.1: foundation, component, transport, priority, address, port, `typ`, type.
fn is_candidate(value: &str) -> bool {
    let fields: Vec<_> = value.split_ascii_whitespace().collect();
    let [_, component, _, priority, _, port, "typ", _, ..] = fields[..] else { return false };
    component.parse::<u16>().is_ok() && priority.parse::<u32>().is_ok() && port.parse::<u16>().is_ok()
}

/// The value of the first line `a=KEY:VALUE`.
fn attribute<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix("a=")?.strip_prefix(key)?.strip_prefix(':'))
}

/// What an answer, or a fragment made of one, says of ICE, with these credentials. Only the first section speaks for
/// all (RFC 9725 §4.3.2).
pub(super) fn with_credentials(answer: &str, ufrag: &str, pwd: &str) -> String {
    const KEPT: [&str; 6] = ["a=group:", "a=ice-lite", "m=", "a=mid:", "a=candidate:", "a=end-of-candidates"];
    let mut out = String::new();
    let mut sections = 0;
    for line in answer.lines() {
        sections += usize::from(line.starts_with("m="));
        if sections > 1 {
            break;
        }
        let (key, value) = match line.split_once(':') {
            Some(("a=ice-ufrag", _)) => ("a=ice-ufrag:", ufrag),
            Some(("a=ice-pwd", _)) => ("a=ice-pwd:", pwd),
            _ if KEPT.iter().any(|kept| line.starts_with(kept)) => ("", line),
            _ => continue,
        };
        out.extend([key, value, "\r\n"]);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const RESTART: &str = "a=ice-options:trickle ice2\r\na=group:BUNDLE 0 1\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n\
        a=mid:0\r\na=ice-ufrag:ysXw\r\na=ice-pwd:vw5LmwG4y/e6dPP/zAP9Gp5k\r\n\
        a=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host generation 0 ufrag EsAw network-id 1\r\n\
        a=candidate:473322822 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active generation 0\r\n";

    #[test]
    fn a_fragment_names_the_clients_credentials() {
        let expected = Fragment { ufrag: "ysXw", pwd: "vw5LmwG4y/e6dPP/zAP9Gp5k" };
        assert_eq!(Fragment::parse(RESTART), Some(expected));
        assert_eq!(Fragment::parse(&RESTART.replace("\r\n", "\n")), Some(expected), "lenient about line ends");
        assert_eq!(Fragment::parse(&format!("v=0\r\n{RESTART}")), Some(expected), "what it does not need, it skips");
    }

    #[test]
    fn what_is_no_fragment_is_noticed() {
        let wrong = |from: &str, to: &str| Fragment::parse(&RESTART.replace(from, to)).is_none();
        assert_eq!(Fragment::parse(""), None);
        assert_eq!(Fragment::parse("{\"candidate\":\"\"}"), None);
        assert!(wrong("a=ice-pwd", "a=ice-key"), "no password");
        assert!(wrong("ysXw", "ysX"), "RFC 8839: at least four characters");
        assert!(wrong("ysXw", "ys\"w"), "no ICE character");
        assert!(wrong("61764", "617640"), "no port");
        assert!(wrong("typ host generation", "host generation"), "no type");
        assert!(wrong("a=mid:0", "mid"), "no line of SDP");
    }

    #[test]
    fn a_restart_is_answered_with_what_the_answer_said_of_ice() {
        let answer = "v=0\r\na=group:BUNDLE 0 1\r\na=fingerprint:sha-256 AB\r\na=ice-lite\r\nm=audio 9 X 96\r\na=mid:0\r\n\
            a=rtpmap:96 opus/48000/2\r\na=ice-ufrag:before\r\na=ice-pwd:before\r\na=setup:passive\r\n\
            a=candidate:1 1 udp 1 192.0.2.1 5000 typ host\r\na=end-of-candidates\r\nm=video 9 X 97\r\na=mid:1\r\n";
        let expected = "a=group:BUNDLE 0 1\r\na=ice-lite\r\nm=audio 9 X 96\r\na=mid:0\r\na=ice-ufrag:after\r\n\
            a=ice-pwd:secret\r\na=candidate:1 1 udp 1 192.0.2.1 5000 typ host\r\na=end-of-candidates\r\n";
        let fragment = with_credentials(answer, "after", "secret");
        assert_eq!(fragment, expected);
        assert_eq!(with_credentials(&fragment, "after", "secret"), expected, "it can be made of itself");
    }
}
