//! SVG text: elements, escaped text, colours for light and dark pages.

use std::fmt::Write as _;

/// Colours of series, told apart by people with any colour vision and readable on white and on black: of the palette of Okabe
/// and Ito ("Color universal design", 2008), those of middle lightness.
pub const COLOURS: [&str; 6] = ["#0c8ad6", "#d55e00", "#009e73", "#cc79a7", "#b8860b", "#7a7a7a"];

const STYLE: &str = "text{font:12px system-ui,sans-serif;fill:#24292f}\
.title{font-size:14px;font-weight:600}.paper{fill:#fff}.grid{stroke:#d8dee4;fill:none}.axis{stroke:#57606a;fill:none}\
.line{fill:none;stroke-width:1.5}.cell{stroke:#d8dee4}.strong{fill:#fff}\
@media (prefers-color-scheme: dark){text{fill:#e6edf3}.paper{fill:#0d1117}.grid{stroke:#30363d}.axis{stroke:#8b949e}\
.cell{stroke:#30363d}.strong{fill:#fff}}";

/// A drawing under construction.
pub struct Svg {
    body: String,
    width: f64,
    height: f64,
}

/// Where a text is, relative to its point.
#[derive(Clone, Copy)]
pub enum Anchor {
    /// It starts there.
    Start,
    /// Its middle is there.
    Middle,
    /// It ends there.
    End,
}

impl Svg {
    /// An empty drawing of this size in pixels.
    pub fn new(width: f64, height: f64) -> Self {
        let mut svg = Self { body: String::new(), width, height };
        svg.element("rect", &format!("class=\"paper\" width=\"{width}\" height=\"{height}\""));
        svg
    }

    /// An element without content; `attributes` as they stand in the file.
    pub fn element(&mut self, name: &str, attributes: &str) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.body, "<{name} {attributes}/>");
    }

    /// An element that tells `tip` under the pointer.
    pub fn element_with_tip(&mut self, name: &str, attributes: &str, tip: &str) {
        let _ = writeln!(self.body, "<{name} {attributes}><title>{}</title></{name}>", escaped(tip));
    }

    /// A text.
    pub fn text(&mut self, (x, y): (f64, f64), anchor: Anchor, class: &str, text: &str) {
        self.turned((x, y), 0.0, anchor, class, text);
    }

    /// A text turned by `degrees` about its point.
    pub fn turned(&mut self, (x, y): (f64, f64), degrees: f64, anchor: Anchor, class: &str, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let turn = match degrees == 0.0 {
            true => String::new(),
            false => format!(" transform=\"rotate({degrees} {x:.1} {y:.1})\""),
        };
        let _ = writeln!(
            self.body,
            "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" class=\"{class}\"{turn}>{}</text>",
            escaped(text)
        );
    }

    /// The file.
    pub fn finish(self) -> String {
        let Self { body, width, height } = self;
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
             height=\"{height}\" role=\"img\">\n<style>{STYLE}</style>\n{body}</svg>\n"
        )
    }
}

/// Text as it stands between tags.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A number with as few digits as tell it, four after the point at most.
pub fn number(value: f64) -> String {
    if value != 0.0 && (value.abs() < 1e-3 || value.abs() >= 1e6) {
        return format!("{value:.2e}");
    }
    let text = format!("{value:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_no_digits_to_spare() {
        assert_eq!(number(0.8125), "0.8125");
        assert_eq!(number(3.0), "3");
        assert_eq!(number(-0.5), "-0.5");
        assert_eq!(number(2.5e-5), "2.50e-5");
    }
}
