//! The date and time that a chat template may write into the prompt, formatted as C's `strftime` does.

/// A date and time of day, given by the caller: the library reads no clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DateTime {
    /// Year of the Gregorian calendar.
    pub year: u16,
    /// Month, 1 to 12.
    pub month: u8,
    /// Day of the month, 1 to 31.
    pub day: u8,
    /// Hour, 0 to 23.
    pub hour: u8,
    /// Minute, 0 to 59.
    pub minute: u8,
    /// Second, 0 to 60.
    pub second: u8,
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

impl DateTime {
    /// Midnight of a day.
    pub fn date(year: u16, month: u8, day: u8) -> Self {
        Self { year, month, day, hour: 0, minute: 0, second: 0 }
    }

    /// The text for a `strftime` format in English, or what is wrong with the format or the date.
    pub(super) fn format(&self, format: &str) -> Result<String, String> {
        let Self { year, month, day, hour, minute, second } = *self;
        if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
            return Err(format!("there is no day {year}-{month}-{day}"));
        }
        let month_name = MONTHS[usize::from(month) - 1];
        let weekday = WEEKDAYS[self.weekday()];
        let half_day_hour = (hour + 11) % 12 + 1;
        let mut text = String::new();
        let mut chars = format.chars();
        while let Some(c) = chars.next() {
            if c != '%' {
                text.push(c);
                continue;
            }
            let mut directive = chars.next();
            // `%-d` leaves out the leading zero.
            let padded = directive != Some('-');
            if !padded {
                directive = chars.next();
            }
            let number = |n: u8| if padded { format!("{n:02}") } else { n.to_string() };
            text += &match directive {
                Some('Y') => year.to_string(),
                Some('y') => number((year % 100) as u8),
                Some('m') => number(month),
                Some('d') => number(day),
                Some('e') => format!("{day:2}"),
                Some('H') => number(hour),
                Some('I') => number(half_day_hour),
                Some('M') => number(minute),
                Some('S') => number(second),
                Some('p') => if hour < 12 { "AM" } else { "PM" }.to_owned(),
                Some('B') => month_name.to_owned(),
                Some('b' | 'h') => month_name[..3].to_owned(),
                Some('A') => weekday.to_owned(),
                Some('a') => weekday[..3].to_owned(),
                Some('F') => format!("{year}-{month:02}-{day:02}"),
                Some('T') => format!("{hour:02}:{minute:02}:{second:02}"),
                Some('%') => "%".to_owned(),
                other => {
                    let other = other.map(String::from).unwrap_or_default();
                    return Err(format!(
                        "the date format \"{format}\" has the unknown directive \"%{other}\""
                    ));
                }
            };
        }
        Ok(text)
    }

    /// Days since Sunday, by Sakamoto's method: the year is taken to begin in March, so that a leap day comes last.
    fn weekday(&self) -> usize {
        const OFFSETS: [usize; 12] = [0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4];
        let year = usize::from(self.year) + 400 - usize::from(self.month < 3);
        (year + year / 4 - year / 100
            + year / 400
            + OFFSETS[usize::from(self.month) - 1]
            + usize::from(self.day))
            % 7
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_those_of_strftime() {
        let time = DateTime { year: 2024, month: 2, day: 9, hour: 0, minute: 5, second: 59 };
        assert_eq!(time.format("%d %b %Y").unwrap(), "09 Feb 2024");
        assert_eq!(time.format("%A, %B %-d, %y %I:%M:%S %p").unwrap(), "Friday, February 9, 24 12:05:59 AM");
        assert_eq!(time.format("%F %T %e %H 100%%").unwrap(), "2024-02-09 00:05:59  9 00 100%");
    }

    #[test]
    fn weekdays_are_right_around_leap_days() {
        let weekday = |year, month, day| DateTime::date(year, month, day).format("%a").unwrap();
        assert_eq!(weekday(2024, 2, 29), "Thu");
        assert_eq!(weekday(2024, 3, 1), "Fri");
        assert_eq!(weekday(2000, 1, 1), "Sat");
        assert_eq!(weekday(1900, 3, 1), "Thu");
    }

    #[test]
    fn impossible_dates_and_unknown_directives_are_named() {
        assert!(DateTime::date(2024, 13, 1).format("%Y").unwrap_err().contains("2024-13-1"));
        assert!(DateTime::date(2024, 1, 1).format("%Q").unwrap_err().contains("%Q"));
        assert!(DateTime::date(2024, 1, 1).format("100%").is_err());
    }
}
