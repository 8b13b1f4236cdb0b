//! Patterns of LIKE, SIMILAR TO and `~`, from Postgres's rules to those of Rust's `regex`.

/// A LIKE pattern whose escape character is the backslash. Without an escape character a backslash is itself.
pub(crate) fn like_to_backslash(pattern: &str, escape: Option<char>) -> String {
    let mut plain = String::with_capacity(pattern.len());
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        if Some(character) == escape {
            if let Some(next) = characters.next() {
                if matches!(next, '%' | '_' | '\\') {
                    plain.push('\\');
                }
                plain.push(next);
            }
        } else {
            if character == '\\' {
                plain.push('\\');
            }
            plain.push(character);
        }
    }
    plain
}

/// The regular expression of a SIMILAR TO pattern: it has to match the whole text.
pub fn regex_of_similar(pattern: &str, escape: Option<char>) -> String {
    let mut regex = String::from("(?s)^(?:");
    let mut in_class = false;
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        match character {
            _ if Some(character) == escape => {
                if let Some(next) = characters.next() {
                    if !next.is_alphanumeric() {
                        regex.push('\\');
                    }
                    regex.push(next);
                }
            }
            '[' if !in_class => {
                in_class = true;
                regex.push('[');
            }
            ']' if in_class => {
                in_class = false;
                regex.push(']');
            }
            _ if in_class => {
                if matches!(character, '\\' | '[' | '&' | '~') {
                    regex.push('\\');
                }
                regex.push(character);
            }
            '%' => regex.push_str(".*"),
            '_' => regex.push('.'),
            '(' => regex.push_str("(?:"),
            '.' | '^' | '$' | '\\' => {
                regex.push('\\');
                regex.push(character);
            }
            _ => regex.push(character),
        }
    }
    regex.push_str(")$");
    regex
}

/// A Postgres regular expression in Rust's spelling, or the name of what that has not.
pub(crate) fn translate_regex(pattern: &str) -> Result<String, &'static str> {
    let mut regex = String::with_capacity(pattern.len() + 4);
    let mut has_dot = false;
    let mut in_class = false;
    let mut characters = pattern.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\\' => escape(characters.next(), in_class, &mut regex)?,
            '[' if in_class && matches!(characters.peek(), Some(':')) => {
                // `[:alpha:]` is spelled alike.
                regex.push('[');
                for next in characters.by_ref() {
                    regex.push(next);
                    if next == ']' {
                        break;
                    }
                }
            }
            '[' if in_class => regex.push_str("\\["),
            '[' => {
                in_class = true;
                regex.push('[');
                if characters.next_if_eq(&'^').is_some() {
                    regex.push('^');
                }
                if characters.next_if_eq(&']').is_some() {
                    regex.push_str("\\]");
                }
            }
            ']' if in_class => {
                in_class = false;
                regex.push(']');
            }
            '&' | '~' if in_class => {
                regex.push('\\');
                regex.push(character);
            }
            '(' if !in_class && characters.next_if_eq(&'?').is_some() => {
                match characters.peek() {
                    Some('=' | '!' | '<') => return Err("look-around in a regular expression"),
                    _ => regex.push_str("(?"),
                };
            }
            '.' if !in_class => {
                has_dot = true;
                regex.push('.');
            }
            _ => regex.push(character),
        }
    }
    // In Postgres a dot matches a newline too.
    Ok(if has_dot { format!("(?s){regex}") } else { regex })
}

fn escape(next: Option<char>, in_class: bool, regex: &mut String) -> Result<(), &'static str> {
    match next {
        None => regex.push_str("\\\\"),
        Some('y') if !in_class => regex.push_str("\\b"),
        Some('Y') if !in_class => regex.push_str("\\B"),
        Some('m') if !in_class => regex.push_str("\\b{start}"),
        Some('M') if !in_class => regex.push_str("\\b{end}"),
        Some('Z') if !in_class => regex.push_str("\\z"),
        Some('1'..='9') => return Err("a back-reference in a regular expression"),
        Some(letter) if letter.is_ascii_alphabetic() => {
            if !matches!(
                letter,
                'd' | 'D' | 'w' | 'W' | 's' | 'S' | 'n' | 't' | 'r' | 'f' | 'v' | 'a' | 'A' | 'x' | 'u'
            ) {
                return Err("this escape in a regular expression");
            }
            regex.push('\\');
            regex.push(letter);
        }
        Some(other) if other.is_ascii_punctuation() => {
            regex.push('\\');
            regex.push(other);
        }
        Some(other) => regex.push(other),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn like_patterns_get_the_backslash_as_escape() {
        let cases = [
            ("50!%", Some('!'), "50\\%"),
            ("a\\b", Some('!'), "a\\\\b"),
            ("a\\%", None, "a\\\\%"),
            ("!!", Some('!'), "!"),
        ];
        for (pattern, escape, expected) in cases {
            assert_eq!(like_to_backslash(pattern, escape), expected);
        }
    }

    #[test]
    fn similar_to_matches_the_whole_text() {
        let cases = [
            ("%(b|d)%", "(?s)^(?:.*(?:b|d).*)$"),
            ("a_c", "(?s)^(?:a.c)$"),
            ("1.5", "(?s)^(?:1\\.5)$"),
            ("a\\%", "(?s)^(?:a\\%)$"),
            ("[a-z%]+", "(?s)^(?:[a-z%]+)$"),
        ];
        for (pattern, expected) in cases {
            assert_eq!(regex_of_similar(pattern, Some('\\')), expected);
        }
    }

    #[test]
    fn regular_expressions_keep_their_meaning() {
        let cases = [
            ("^abc$", "^abc$"),
            ("a.c", "(?s)a.c"),
            ("\\yroot\\y", "\\broot\\b"),
            ("[[:alpha:]_]", "[[:alpha:]_]"),
            ("[]a]", "[\\]a]"),
            ("[a&&b]", "[a\\&\\&b]"),
            ("\\d+\\.\\d", "\\d+\\.\\d"),
        ];
        for (pattern, expected) in cases {
            assert_eq!(translate_regex(pattern), Ok(expected.to_owned()));
        }
        for pattern in ["(?=a)", "(?!a)", "(?<=a)b", "(a)\\1"] {
            assert!(translate_regex(pattern).is_err(), "{pattern}");
        }
    }
}
