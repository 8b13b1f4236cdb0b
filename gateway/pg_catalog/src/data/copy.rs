//! COPY's text format.

use std::borrow::Cow;

/// The value of one field; `None` for NULL.
pub(super) fn unescape(field: &str) -> Option<Cow<'_, str>> {
    if field == "\\N" {
        return None;
    }
    if !field.contains('\\') {
        return Some(Cow::Borrowed(field));
    }
    let mut value = String::with_capacity(field.len());
    let mut characters = field.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            value.push(character);
            continue;
        }
        match characters.next() {
            Some('n') => value.push('\n'),
            Some('t') => value.push('\t'),
            Some('r') => value.push('\r'),
            Some('b') => value.push('\u{8}'),
            Some('f') => value.push('\u{c}'),
            Some('v') => value.push('\u{b}'),
            Some(other) => value.push(other),
            None => {}
        }
    }
    Some(Cow::Owned(value))
}

#[cfg(test)]
mod tests {
    use super::unescape;

    #[test]
    fn escapes_and_nulls_are_told_apart() {
        assert_eq!(unescape("\\N"), None);
        assert_eq!(unescape("a\\tb\\\\N").as_deref(), Some("a\tb\\N"));
        assert_eq!(unescape("").as_deref(), Some(""));
    }
}
