use sqlparser::tokenizer::Token;

use crate::lex::{is_blank, tokens};
use crate::{Error, Position};

/// One statement of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fragment<'a> {
    /// Without the semicolon and the white space around it.
    pub text: &'a str,
    /// Characters of the batch before `text`.
    pub offset: u32,
}

/// Takes a batch apart at its semicolons, which strings, quoted names, dollar quotes and comments may contain. Empty
/// statements are left out.
pub fn split(sql: &str) -> Result<Vec<Fragment<'_>>, Error> {
    let mut fragments = Vec::new();
    let mut cursor = Cursor { sql, byte: 0, character: 0 };
    let mut start = cursor.clone();
    let mut has_words = false;
    for token in tokens(sql)? {
        if token.token == Token::SemiColon {
            cursor.move_to(Position::of(token.span).unwrap_or(1) - 1);
            if has_words {
                fragments.push(fragment(&start, cursor.byte));
            }
            has_words = false;
            cursor.move_to(cursor.character + 1);
            start = cursor.clone();
        } else {
            has_words |= !is_blank(&token.token);
        }
    }
    if has_words {
        fragments.push(fragment(&start, sql.len()));
    }
    Ok(fragments)
}

fn fragment<'a>(start: &Cursor<'a>, end: usize) -> Fragment<'a> {
    let whole = &start.sql[start.byte..end];
    let text = whole.trim_start();
    let blank = whole[..whole.len() - text.len()].chars().count();
    Fragment { text: text.trim_end(), offset: start.character + u32::try_from(blank).unwrap_or(u32::MAX) }
}

/// A place in the text, by byte and by character; moves forward only.
#[derive(Clone)]
struct Cursor<'a> {
    sql: &'a str,
    byte: usize,
    character: u32,
}

impl Cursor<'_> {
    fn move_to(&mut self, character: u32) {
        let rest = &self.sql[self.byte..];
        let ahead = character.saturating_sub(self.character) as usize;
        self.byte += rest.char_indices().nth(ahead).map_or(rest.len(), |(byte, _)| byte);
        self.character = character;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(sql: &str) -> Vec<(&str, u32)> {
        split(sql).unwrap().into_iter().map(|fragment| (fragment.text, fragment.offset)).collect()
    }

    #[test]
    fn semicolons_inside_quotes_and_comments_do_not_split() {
        let cases = [
            ("select 1", vec![("select 1", 0)]),
            (";; ;", vec![]),
            ("", vec![]),
            ("-- only a comment", vec![]),
            ("select ';' ; select \"a;b\"", vec![("select ';'", 0), ("select \"a;b\"", 13)]),
            (r"select E'it\';' ; x", vec![(r"select E'it\';'", 0), ("x", 18)]),
            ("select 'a''b;' ; x", vec![("select 'a''b;'", 0), ("x", 17)]),
            (r"select 'a\' ; x", vec![(r"select 'a\'", 0), ("x", 14)]),
            ("select $$;$$;x", vec![("select $$;$$", 0), ("x", 13)]),
            ("select $a$ $$; $b$ $a$;x", vec![("select $a$ $$; $b$ $a$", 0), ("x", 23)]),
            ("select 1 /* ; /* ; */ ; */ ; x -- ;", vec![("select 1 /* ; /* ; */ ; */", 0), ("x -- ;", 29)]),
            ("select U&'d\\0061t;a';x", vec![("select U&'d\\0061t;a'", 0), ("x", 21)]),
            ("sélect 'ß;';\n\n ü", vec![("sélect 'ß;'", 0), ("ü", 15)]),
            ("/* note */ select 1; ", vec![("/* note */ select 1", 0)]),
        ];
        for (sql, expected) in cases {
            assert_eq!(texts(sql), expected, "{sql}");
        }
    }

    #[test]
    fn what_is_not_closed_is_named_with_its_position() {
        let cases = [
            ("select 'abc", "unterminated quoted string at or near \"'abc\"", 8),
            ("select 1;\nselect \"abc", "unterminated quoted identifier at or near \"\"abc\"", 18),
            ("select /* a /* b */", "unterminated /* comment at or near \"/* a /* b */\"", 8),
            ("select $x$ a $$ b", "unterminated dollar-quoted string at or near \"$x$ a $$ b\"", 8),
            ("select E'abc", "unterminated quoted string at or near \"E'abc\"", 8),
        ];
        for (sql, message, position) in cases {
            let error = split(sql).unwrap_err();
            assert_eq!((error.to_string().as_str(), error.position()), (message, Some(position)), "{sql}");
        }
    }
}
