"""What calibrators fit, by other means: Platt's numbers by PyTorch's LBFGS on the loss that Lin, Lin
and Weng (2007) give, the isotonic values by their min-max formula. Writes calibration.json beside this file.

Run: python3 Tests/ModelsTests/Resources/calibration.py   (needs torch)
"""
import json
import pathlib

import torch
import torch.nn.functional as F

torch.manual_seed(7)
torch.set_default_dtype(torch.float64)
N = 200
# Over-confident predictions with ties.
truth = torch.rand(N)
p = (torch.sigmoid(2.2 * torch.logit(truth.clamp(0.01, 0.99)) + 0.7) * 100).round().clamp(1, 99) / 100
labels = torch.rand(N) < truth

positives = labels.sum().item()
targets = torch.where(labels, (positives + 1) / (positives + 2), 1 / (N - positives + 2))
ab = torch.tensor([1.0, 0.0], requires_grad=True)
optimizer = torch.optim.LBFGS([ab], max_iter=500, tolerance_grad=1e-14, tolerance_change=1e-16, line_search_fn="strong_wolfe")


def closure():
    optimizer.zero_grad()
    loss = F.binary_cross_entropy_with_logits(ab[0] * torch.logit(p) + ab[1], targets)
    loss.backward()
    return loss


optimizer.step(closure)

# f(x) = max over a <= x of min over b >= x of the mean of the labels with predictions in a...b.
points = sorted(set(p.tolist()))
fitted = []
for x in points:
    best = max(
        min(
            labels[(p >= a) & (p <= b)].double().mean().item()
            for b in points
            if b >= x
        )
        for a in points
        if a <= x
    )
    fitted.append(best)

result = dict(
    probabilities=p.tolist(), labels=labels.tolist(), slope=ab[0].item(), intercept=ab[1].item(), points=points, fitted=fitted
)
pathlib.Path(__file__).with_name("calibration.json").write_text(json.dumps(result))
