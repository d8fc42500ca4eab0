//! The picture as a terminal would show it, as an image: for a ticket, or a page.
//!
//! Takes the coloured lines and knows no more of the status than that.

use std::fmt::Write;

/// One stretch of text in one colour.
type Run<'a> = (&'a str, &'a str);

/// Letters a line; longer ones go on below, as far in.
const COLUMNS: usize = 96;
/// Pixels: a letter's width, a line's height, the margin.
const LETTER: f32 = 8.4;
const LINE: usize = 20;
const MARGIN: usize = 16;

/// The image.
pub(super) fn svg(lines: &[String]) -> String {
    let lines: Vec<Vec<Run>> = lines.iter().flat_map(|line| wrapped(runs(line))).collect();
    let height = lines.len() * LINE + 2 * MARGIN;
    let width = COLUMNS as f32 * LETTER + 2.0 * MARGIN as f32;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height}\" \
         font-family=\"ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace\" font-size=\"14\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#0d1117\"/>\n"
    );
    for (at, line) in lines.iter().enumerate() {
        let y = MARGIN + LINE * at + 14;
        let _ = write!(
            out,
            "<text x=\"{MARGIN}\" y=\"{y}\" xml:space=\"preserve\" fill=\"#c9d1d9\">"
        );
        for (code, text) in line {
            let text = escaped(text);
            let _ = match style(code) {
                "" => write!(out, "{text}"),
                style => write!(out, "<tspan {style}>{text}</tspan>"),
            };
        }
        out.push_str("</text>\n");
    }
    out.push_str("</svg>\n");
    out
}

/// The codes of `Paint` as colours that are told apart on a dark ground.
fn style(code: &str) -> &'static str {
    match code {
        "32" => "fill=\"#3fb950\"",
        "33" => "fill=\"#d29922\"",
        "1;31" => "fill=\"#ff7b72\" font-weight=\"bold\"",
        "1" => "fill=\"#f0f6fc\" font-weight=\"bold\"",
        _ => "",
    }
}

/// A line, cut where its colour changes (ECMA-48 §8.3.117).
fn runs(line: &str) -> Vec<Run<'_>> {
    let mut pieces = line.split("\x1b[");
    let first = ("", pieces.next().unwrap_or_default());
    let rest = pieces.map(|piece| piece.split_once('m').unwrap_or(("", piece)));
    let all = std::iter::once(first).chain(rest);
    all.filter(|(_, text)| !text.is_empty()).collect()
}

/// A line that is too long, broken at spaces; only the last of its colours is that long.
fn wrapped(mut line: Vec<Run<'_>>) -> Vec<Vec<Run<'_>>> {
    let Some((code, mut rest)) = line.pop() else {
        return vec![line];
    };
    let before: usize = line.iter().map(|(_, text)| text.chars().count()).sum();
    let spaces = rest.len() - rest.trim_start().len();
    let indent = &rest[..spaces];
    let mut room = COLUMNS.saturating_sub(before);
    let mut out = Vec::new();
    while rest.chars().count() > room {
        let Some(at) = rest[..end_of(rest, room)]
            .trim_end()
            .rfind(' ')
            .filter(|at| *at > spaces)
        else {
            break;
        };
        line.push((code, &rest[..at]));
        out.push(std::mem::take(&mut line));
        line.push((code, indent));
        rest = &rest[at + 1..];
        room = COLUMNS - indent.len();
    }
    line.push((code, rest));
    out.push(line);
    out
}

/// Where the letter after `count` letters begins.
fn end_of(text: &str, count: usize) -> usize {
    text.char_indices()
        .nth(count)
        .map_or(text.len(), |(at, _)| at)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::super::super::paint::Paint;
    use super::*;

    #[test]
    fn a_line_keeps_its_colours_and_its_spaces() {
        let line = format!("  {} SNMP   <up>", Paint::Colour.good("ok"));
        let image = svg(&[line]);
        let wanted = "  <tspan fill=\"#3fb950\">ok</tspan> SNMP   &lt;up&gt;</text>";
        assert!(image.contains(wanted), "{image}");
        assert!(image.starts_with("<svg ") && image.ends_with("</svg>\n"));
        assert!(!image.contains('\x1b'));
    }

    #[test]
    fn a_long_reason_goes_on_below_as_far_in() {
        let reason = format!("      {}", "word ".repeat(40).trim_end());
        let lines = wrapped(runs(&reason));
        assert_eq!(lines.len(), 3);
        let plain = |line: &Vec<Run>| line.iter().map(|(_, text)| *text).collect::<String>();
        let plain: Vec<String> = lines.iter().map(plain).collect();
        assert!(plain.iter().all(|line| line.starts_with("      word")));
        assert!(plain.iter().all(|line| line.len() <= COLUMNS));
        assert_eq!(plain.join(" ").matches("word").count(), 40);
    }

    #[test]
    fn every_colour_of_the_paint_is_known() {
        for text in [
            Paint::Colour.good("x"),
            Paint::Colour.warn("x"),
            Paint::Colour.bad("x"),
            Paint::Colour.title("x"),
        ] {
            assert_ne!(style(runs(&text)[0].0), "", "{text:?}");
        }
    }

    #[test]
    fn a_word_without_end_is_left_whole() {
        let line = "x".repeat(300);
        assert_eq!(wrapped(runs(&line)).len(), 1);
        assert_eq!(wrapped(Vec::new()).len(), 1);
    }
}
