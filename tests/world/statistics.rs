//! What is made of measured figures: minima, medians, and how sure a median is.

/// The smallest; nothing of nothing.
pub fn minimum(figures: &[f64]) -> Option<f64> {
    figures.iter().copied().min_by(f64::total_cmp)
}

/// The one in the middle, or the mean of the two; nothing of nothing.
pub fn median(figures: &[f64]) -> Option<f64> {
    let sorted = sorted(figures);
    let middle = sorted.len() / 2;
    let upper = sorted.get(middle)?;
    if sorted.len() % 2 == 1 {
        return Some(*upper);
    }
    Some((sorted.get(middle - 1)? + upper) / 2.0)
}

/// The smallest that at least this share of all do not exceed; nothing of nothing.
pub fn quantile(figures: &[f64], share: f64) -> Option<f64> {
    let sorted = sorted(figures);
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.clamp(1, sorted.len().max(1)) - 1).copied()
}

/// Where the true median lies with a confidence of 95 %, whatever the distribution: two order
/// statistics, by the normal approximation of the binomial. Nothing below 30 figures.
pub fn median_interval(figures: &[f64]) -> Option<(f64, f64)> {
    if figures.len() < 30 {
        return None;
    }
    let sorted = sorted(figures);
    let count = sorted.len() as f64;
    let reach = 1.96 * count.sqrt() / 2.0;
    let low = (count / 2.0 - reach).floor() as usize;
    let high = (count / 2.0 + reach).ceil() as usize;
    Some((
        *sorted.get(low.saturating_sub(1))?,
        *sorted.get(high.min(sorted.len() - 1))?,
    ))
}

fn sorted(figures: &[f64]) -> Vec<f64> {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_figures() {
        assert_eq!(minimum(&[3.0, 1.0, 2.0]), Some(1.0));
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(
            (minimum(&[]), median(&[]), quantile(&[], 0.99)),
            (None, None, None)
        );
    }

    #[test]
    fn a_quantile_is_one_of_the_figures() {
        let figures: Vec<f64> = (1..=200).map(f64::from).collect();
        assert_eq!(quantile(&figures, 0.99), Some(198.0));
        assert_eq!(quantile(&figures, 1.0), Some(200.0));
        assert_eq!(quantile(&figures, 0.0), Some(1.0));
    }

    #[test]
    fn an_interval_holds_the_median_and_narrows() {
        let figures = |count: u32| (0..count).map(f64::from).collect::<Vec<_>>();
        assert_eq!(median_interval(&figures(29)), None);
        // 100 figures: the ranks 40 and 61, as the tables of the binomial have it.
        assert_eq!(median_interval(&figures(100)), Some((39.0, 60.0)));
        let share = |count: u32| {
            let (low, high) = median_interval(&figures(count)).unwrap();
            (high - low) / f64::from(count)
        };
        assert!(share(1000) < share(100));
    }
}
