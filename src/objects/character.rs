//! Which characters a terminal shows as they are, and which it might obey.

/// False for control characters, for those that turn the direction of writing or break a line, and for those that
/// no font has.
pub(super) fn is_plain(character: char) -> bool {
    !matches!(
        character,
        '\0'..='\x1F'
            | '\x7F'..='\u{9F}'
            | '\u{AD}'
            | '\u{61C}'
            | '\u{200B}'..='\u{200F}'
            | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}'
            | '\u{FEFF}'
            | '\u{FFF9}'..='\u{FFFB}'
            | '\u{FFFE}'..='\u{FFFF}'
            | '\u{E000}'..='\u{F8FF}'
            | '\u{E0000}'..='\u{10FFFF}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_not_plain() {
        for character in ['\x1B', '\n', '\u{9B}', '\u{202E}', '\u{FEFF}', '\u{E0041}'] {
            assert!(!is_plain(character), "{character:?}");
        }
        for character in ['a', ' ', '\u{E9}', '\u{65E5}', '\u{1F600}'] {
            assert!(is_plain(character), "{character:?}");
        }
    }
}
