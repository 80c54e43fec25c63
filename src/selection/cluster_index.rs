//! Finds the clusters that another one can be, without comparing it with each.

use super::KnownCluster;
use std::collections::HashMap;

/// Clusters by what they are called. Numbers are places in the list that it was made of.
#[derive(Debug, Default)]
pub(crate) struct ClusterIndex<'k> {
    clusters: Vec<&'k KnownCluster>,
    by_id: HashMap<&'k str, Vec<usize>>,
    by_name: HashMap<&'k str, Vec<usize>>,
}

impl<'k> ClusterIndex<'k> {
    /// Of all these.
    pub(crate) fn new(clusters: impl IntoIterator<Item = &'k KnownCluster>) -> Self {
        let mut index = Self::default();
        for cluster in clusters {
            index.push(cluster);
        }
        index
    }

    /// One more.
    pub(crate) fn push(&mut self, cluster: &'k KnownCluster) {
        let number = self.clusters.len();
        self.clusters.push(cluster);
        if let Some(id) = &cluster.id {
            self.by_id.entry(id).or_default().push(number);
        }
        if let Some(name) = &cluster.name {
            self.by_name.entry(name).or_default().push(number);
        }
    }

    /// Those that [`agree`](KnownCluster::agrees_with) with `other`, in the order of the list.
    pub(crate) fn agreeing(&self, other: &KnownCluster) -> Vec<usize> {
        let same = |numbers: Option<&Vec<usize>>| numbers.cloned().unwrap_or_default();
        let id = other.id.as_deref().map(|id| same(self.by_id.get(id)));
        let name = other.name.as_deref();
        let name = name.map(|name| same(self.by_name.get(name)));
        let mut found: Vec<usize> = id.into_iter().chain(name).flatten().collect();
        found.sort_unstable();
        found.dedup();
        found.retain(|number| {
            let cluster = self.clusters.get(*number);
            cluster.is_some_and(|cluster| cluster.agrees_with(other))
        });
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_agrees_is_found_as_if_each_were_asked() {
        let cluster = |name: Option<&str>, id: Option<&str>| KnownCluster {
            name: name.map(str::to_owned),
            id: id.map(str::to_owned),
        };
        let names = [None, Some("prod"), Some("test")];
        let ids = [None, Some("11"), Some("22")];
        let pairs = names
            .iter()
            .flat_map(|name| ids.iter().map(|id| (*name, *id)));
        let clusters: Vec<KnownCluster> = pairs.map(|(name, id)| cluster(name, id)).collect();
        let index = ClusterIndex::new(&clusters);
        let mut most = 0;
        for other in &clusters {
            let all = clusters.iter().enumerate();
            let expected: Vec<usize> = all
                .filter(|(_, one)| one.agrees_with(other))
                .map(|(number, _)| number)
                .collect();
            assert_eq!(index.agreeing(other), expected, "{other}");
            most = most.max(expected.len());
        }
        // A name without an id can be of each that is called so.
        assert_eq!(most, 4);
    }
}
