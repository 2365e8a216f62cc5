//! The classes an evaluation tells apart: the model's labels, with the members of a group merged where asked for.

use sensorllm::{Error, ErrorKind, Manifest};

/// Classes and which of the model's labels each is made of.
#[derive(Debug, PartialEq, Eq)]
pub struct Classes {
    names: Vec<String>,
    /// Per label of the model, its class.
    class_of: Vec<usize>,
    /// Per label of the model, its name: the activity it stands for.
    activities: Vec<String>,
}

impl Classes {
    /// The model's labels; the members of `group` become one class of that name.
    ///
    /// # Errors
    /// `InvalidInput` when the model has no such group.
    pub fn new(manifest: &Manifest, group: Option<&str>) -> sensorllm::Result<Self> {
        let labels = manifest.labels.iter().map(|label| (label.name.as_str(), label.group.as_deref()));
        Self::from_labels(labels, group)
    }

    fn from_labels<'a>(
        labels: impl Iterator<Item = (&'a str, Option<&'a str>)> + Clone,
        group: Option<&str>,
    ) -> sensorllm::Result<Self> {
        if let Some(wanted) = group
            && !labels.clone().any(|(_, group)| group == Some(wanted))
        {
            let mut groups: Vec<&str> = labels.filter_map(|(_, group)| group).collect();
            groups.dedup();
            let hint = match groups.as_slice() {
                [] => "the model has no groups: leave out `--group`".to_owned(),
                groups => format!("the model has: {}", groups.join(", ")),
            };
            return Err(Error::new(
                ErrorKind::InvalidInput,
                format!("the model has no group `{wanted}`"),
                hint,
            ));
        }
        let mut classes = Self { names: Vec::new(), class_of: Vec::new(), activities: Vec::new() };
        for (name, own_group) in labels {
            let class = own_group.filter(|own| Some(*own) == group).unwrap_or(name);
            let index = classes.names.iter().position(|known| known == class).unwrap_or_else(|| {
                classes.names.push(class.to_owned());
                classes.names.len() - 1
            });
            classes.class_of.push(index);
            classes.activities.push(name.to_owned());
        }
        Ok(classes)
    }

    /// The classes' names.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The class of an activity; `None` if it is not among the model's labels.
    pub fn of_activity(&self, activity: &str) -> Option<usize> {
        let label = self.activities.iter().position(|name| name == activity);
        label.map(|label| self.class_of[label])
    }

    /// The likeliest class and its probability: the sum of its labels' probabilities.
    pub fn likeliest(&self, probabilities: &[f32]) -> (usize, f32) {
        let mut sums = vec![0.0; self.names.len()];
        for (&class, &probability) in self.class_of.iter().zip(probabilities) {
            sums[class] += probability;
        }
        let mut best = (0, f32::NEG_INFINITY);
        for (class, &sum) in sums.iter().enumerate() {
            if sum > best.1 {
                best = (class, sum);
            }
        }
        best
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LABELS: [(&str, Option<&str>); 4] =
        [("walking", None), ("sitting", Some("still")), ("running", None), ("standing", Some("still"))];

    fn classes(group: Option<&str>) -> sensorllm::Result<Classes> {
        Classes::from_labels(LABELS.into_iter(), group)
    }

    #[test]
    fn without_a_group_every_label_is_a_class() {
        let classes = classes(None).expect("no group asked for");
        assert_eq!(classes.names(), ["walking", "sitting", "running", "standing"]);
        assert_eq!(classes.of_activity("standing"), Some(3));
        assert_eq!(classes.of_activity("stairs"), None);
        assert_eq!(classes.likeliest(&[0.4, 0.3, 0.0, 0.3]), (0, 0.4));
    }

    #[test]
    fn a_groups_members_are_one_class_whose_probabilities_add_up() {
        let classes = classes(Some("still")).expect("the group exists");
        assert_eq!(classes.names(), ["walking", "still", "running"]);
        assert_eq!(classes.of_activity("standing"), classes.of_activity("sitting"));
        assert_eq!(classes.of_activity("still"), None, "no source labels its windows with a group");
        assert_eq!(classes.likeliest(&[0.4, 0.3, 0.0, 0.3]), (1, 0.6));
    }

    #[test]
    fn an_unknown_group_is_an_error_that_lists_the_known() {
        let error = classes(Some("moving")).expect_err("no such group");
        assert!(error.to_string().contains("moving") && error.hint().contains("still"), "{error}");
    }
}
