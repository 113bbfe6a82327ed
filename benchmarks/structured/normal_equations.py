"""A Θ Aᵀ of the block form, factored by structure: rows of one period, rows of a job, and the few that join periods.

Rows of a period that are no links are eliminated first, period by period; then the jobs, whose block is diagonal; what is
left is a dense matrix over the links (groups × speed classes × periods), and a small one over the rows that join periods.
The time of a factorisation grows with the jobs only in the product UᵀU of one thin matrix per group.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.linalg
import scipy.sparse as sp

from energy.schema import Floats, Ints

#: Added to the diagonal of the scaled matrix, and to the matrix itself, so that rows that depend on each other have a
#: solution; the steps are those of a problem whose rows give way by this share of their price.
DUAL_REGULARISATION = 1e-10
#: Shares of the diagonal tried in turn where rounding has made a block indefinite.
LIFTS = (0.0, 1e-14, 1e-12, 1e-10, 1e-8)


class NotFactored(ArithmeticError):
    """A block of the matrix is not positive definite at this precision."""


@dataclass(frozen=True)
class Blocks:
    """Equality form A x = b; the columns of jobs' GPUs are apart.

    Attributes
    ----------
    sparse : (m, n) CSC array of the columns that are not jobs' GPUs
    gpu_job, gpu_link : job and link row of each column of jobs' GPUs
    gpu_finish, gpu_held : its coefficients in the job's row and in the link
    finish : the row of each job
    links : rows of the links of each group
    row_period : period of each row that belongs to one, else -1; jobs' rows -1
    periods : count
    """

    sparse: Any
    gpu_job: Ints
    gpu_link: Ints
    gpu_finish: Floats
    gpu_held: Floats
    finish: Ints
    links: list[Ints]
    row_period: Ints
    periods: int

    def times(self, x: Floats) -> Floats:
        """A x."""
        n = self.sparse.shape[1]
        out = self.sparse @ x[:n]
        gpus, rows = x[n:], len(out)
        out[self.finish] += np.bincount(self.gpu_job, self.gpu_finish * gpus, minlength=len(self.finish))
        return out + np.bincount(self.gpu_link, self.gpu_held * gpus, minlength=rows)

    def transposed(self, y: Floats) -> Floats:
        """Aᵀ y."""
        of_gpus = self.gpu_finish * y[self.finish][self.gpu_job] + self.gpu_held * y[self.gpu_link]
        return np.concatenate([self.sparse.T @ y, of_gpus])


class NormalEquations:
    """Solves (A Θ Aᵀ + δ) y = r for one Θ after another."""

    def __init__(self, blocks: Blocks) -> None:
        self.b, m = blocks, blocks.sparse.shape[0]
        self.of_job = np.full(m, -1)
        self.of_job[blocks.finish] = np.arange(len(blocks.finish))
        self._rows(m)
        self._columns()
        self._groups(m)

    def _rows(self, m: int) -> None:
        """Position of each row in its period's block, other rows before links; rows that join periods are the border."""
        period, link = self.b.row_period, np.zeros(m, bool)
        link[np.concatenate(self.b.links)] = True
        others = [np.flatnonzero((period == t) & ~link) for t in range(self.b.periods)]
        links = [np.flatnonzero((period == t) & link) for t in range(self.b.periods)]
        self.others, self.width = max(map(len, others)), max(map(len, others)) + max(map(len, links))
        self.local = np.full((self.b.periods, self.width), -1)
        for t, (a, b) in enumerate(zip(others, links, strict=True)):
            self.local[t, : len(a)] = a
            self.local[t, self.others : self.others + len(b)] = b
        self.place = np.full(m, -1)
        there = self.local >= 0
        self.place[self.local[there]] = np.broadcast_to(np.arange(self.width), self.local.shape)[there]
        self.border = np.flatnonzero((period < 0) & (self.of_job < 0))
        self.of_border = np.full(m, -1)
        self.of_border[self.border] = np.arange(len(self.border))

    def _columns(self) -> None:
        """Columns that join periods stay in the border themselves; of the others, all products of two entries."""
        a = self.b.sparse
        count = np.diff(a.indptr)
        period = self.b.row_period[a.indices]
        column = np.repeat(np.arange(a.shape[1]), count)
        low, high = np.full(a.shape[1], self.b.periods), np.full(a.shape[1], -1)
        here = period >= 0
        np.minimum.at(low, column[here], period[here])
        np.maximum.at(high, column[here], period[here])
        self.wide = np.flatnonzero(high > low)
        narrow = np.flatnonzero(high <= low)
        rows, other, value, of = [], [], [], []
        for k in np.unique(count[narrow]):
            chosen = narrow[count[narrow] == k]
            at = a.indptr[chosen][:, None] + np.arange(k)
            i, j = (x.ravel() for x in np.meshgrid(np.arange(k), np.arange(k), indexing="ij"))
            rows.append(a.indices[at][:, i].ravel())
            other.append(a.indices[at][:, j].ravel())
            value.append((a.data[at][:, i] * a.data[at][:, j]).ravel())
            of.append(np.repeat(chosen, k * k))
        self._products(*(np.concatenate(x) for x in (rows, other, value, of)))
        self._wide_entries(a)

    def _products(self, i: Ints, j: Ints, value: Floats, of: Ints) -> None:
        """Products by the blocks that they fall into: flat position, value, column."""
        t, border, joins = self.b.row_period, self.of_border, len(self.border) + len(self.wide)
        self.joins = joins

        def part(chosen: Any, position: Ints) -> tuple[Ints, Floats, Ints]:
            return position[chosen], value[chosen], of[chosen]

        both = (t[i] >= 0) & (t[j] >= 0)
        self.in_period = part(both, (t[i] * self.width + self.place[i]) * self.width + self.place[j])
        self.to_border = part((t[i] >= 0) & (border[j] >= 0), (t[i] * self.width + self.place[i]) * joins + border[j])
        self.on_border = part((border[i] >= 0) & (border[j] >= 0), border[i] * joins + border[j])
        self.on_job = part((self.of_job[i] >= 0) & (i == j), self.of_job[i])
        mixed = (self.of_job[i] >= 0) & (border[j] >= 0)
        self.job_border = (self.of_job[i[mixed]], border[j[mixed]], value[mixed], of[mixed])

    def _wide_entries(self, a: Any) -> None:
        self.wide_local = np.zeros((self.b.periods, self.width, len(self.wide)))
        self.wide_border = np.zeros((len(self.border), len(self.wide)))
        for w, column in enumerate(self.wide):
            at = slice(a.indptr[column], a.indptr[column + 1])
            row, value = a.indices[at], a.data[at]
            here = self.b.row_period[row] >= 0
            self.wide_local[self.b.row_period[row[here]], self.place[row[here]], w] = value[here]
            self.wide_border[self.of_border[row[~here]], w] = value[~here]

    def _groups(self, m: int) -> None:
        """Links in the order of their groups, and for each group where its columns stand in its thin matrix."""
        order = np.concatenate(self.b.links)
        self.of_link = np.full(m, -1)
        self.of_link[order] = np.arange(len(order))
        ends = np.cumsum([len(x) for x in self.b.links])
        self.spans = [slice(e - len(x), e) for x, e in zip(self.b.links, ends, strict=True)]
        here = self.local[:, self.others :]
        self.link_here = np.where(here >= 0, self.of_link[np.maximum(here, 0)], -1)
        self.gpu_row = self.of_link[self.b.gpu_link]
        self.thin = []
        for span in self.spans:
            mine = np.flatnonzero((self.gpu_row >= span.start) & (self.gpu_row < span.stop))
            jobs, which = np.unique(self.b.gpu_job[mine], return_inverse=True)
            width = span.stop - span.start
            self.thin.append((mine, (len(jobs), width), which * width + self.gpu_row[mine] - span.start))

    def factor(self, theta: Floats) -> None:
        """Factor for Θ, (n + GPU columns,).

        Raises
        ------
        NotFactored : rounding has made a block indefinite.
        """
        n, o, b, joins = self.b.sparse.shape[1], self.others, len(self.border), self.joins
        sparse, gpus = theta[:n], theta[n:]
        m, e, d = self._accumulated(sparse)
        self.diagonal = (
            np.bincount(self.on_job[0], self.on_job[1] * sparse[self.on_job[2]], minlength=len(self.b.finish))
            + np.bincount(self.b.gpu_job, self.b.gpu_finish**2 * gpus, minlength=len(self.b.finish))
            + DUAL_REGULARISATION
        )
        self.inverse = _inverse_of_factor(m[:, :o, :o])
        self.to_links = self.inverse @ m[:, :o, o:]
        self.to_joins = self.inverse @ e[:, :o]
        flat = self.to_joins.reshape(-1, joins)
        d -= flat.T @ flat
        links = m[:, o:, o:] - self.to_links.transpose(0, 2, 1) @ self.to_links
        joined = e[:, o:] - self.to_links.transpose(0, 2, 1) @ self.to_joins
        h, hb = self._on_links(links, joined)
        self._eliminate_jobs(h, gpus)
        job, border, value, of = self.job_border
        fb = sp.csr_array((value * sparse[of], (job, border)), shape=(len(self.b.finish), joins))
        self.jobs_joined, scaled = fb, sp.diags_array(1.0 / self.diagonal) @ fb
        d -= (fb.T @ scaled).toarray()
        self.coupling = self.b.gpu_finish * self.b.gpu_held * gpus
        if fb.nnz:
            between = sp.csr_array((self.coupling, (self.gpu_row, self.b.gpu_job)), shape=(len(h), len(self.b.finish)))
            hb -= (between @ scaled).toarray()
        self.factored = _cholesky(h)
        self.links_joined, self.solved = hb, scipy.linalg.cho_solve(self.factored, hb, check_finite=False)
        d[np.arange(b), np.arange(b)] += DUAL_REGULARISATION
        self.last = scipy.linalg.lu_factor(d - hb.T @ self.solved, check_finite=False) if joins else None

    def _accumulated(self, theta: Floats) -> tuple[Floats, Floats, Floats]:
        """Blocks of the periods, of periods with the border, and of the border, by columns that are not jobs' GPUs."""
        t, width, joins, b = self.b.periods, self.width, self.joins, len(self.border)

        def summed(part: tuple[Ints, Floats, Ints], *shape: int) -> Floats:
            at, value, of = part
            return np.bincount(at, value * theta[of], minlength=int(np.prod(shape))).reshape(shape)

        m, e, d = (
            summed(self.in_period, t, width, width),
            summed(self.to_border, t, width, joins),
            np.zeros((joins, joins)),
        )
        if joins:
            d += summed(self.on_border, joins, joins)
        e[:, :, b:] = self.wide_local
        d[:b, b:], d[b:, :b] = self.wide_border, self.wide_border.T
        d[np.arange(b, joins), np.arange(b, joins)] = -1.0 / theta[self.wide]
        own = np.arange(width)
        m[:, own, own] += np.where(self.local < 0, 1.0, DUAL_REGULARISATION)
        return m, e, d

    def _on_links(self, links: Floats, joined: Floats) -> tuple[Floats, Floats]:
        """Dense matrix over all links, and their part with the border."""
        count = len(self.of_link[self.of_link >= 0])
        h, hb = np.zeros((count, count)), np.zeros((count, self.joins))
        for t, number in enumerate(self.link_here):
            there = number >= 0
            h[np.ix_(number[there], number[there])] += links[t][np.ix_(there, there)]
            hb[number[there]] += joined[t][there]
        return h, hb

    def _eliminate_jobs(self, h: Floats, gpus: Floats) -> None:
        """Add θ h² - UᵀU of every group, U = θ f h / √diagonal; on the diagonal without cancellation."""
        f, held, job = self.b.gpu_finish, self.b.gpu_held, self.b.gpu_job
        root = np.sqrt(self.diagonal)
        for span, (mine, shape, at) in zip(self.spans, self.thin, strict=True):
            u = np.zeros(shape[0] * shape[1])
            u[at] = f[mine] * held[mine] * gpus[mine] / root[job[mine]]
            u = u.reshape(shape)
            block = -(u.T @ u)
            own = (
                held[mine] ** 2 * gpus[mine] * np.maximum(1 - f[mine] ** 2 * gpus[mine] / self.diagonal[job[mine]], 0.0)
            )
            np.fill_diagonal(block, np.bincount(at % shape[1], own, minlength=shape[1]))
            h[span, span] += block

    def solve(self, r: Floats) -> Floats:
        """y with the factors, up to their rounding."""
        o, b = self.others, len(self.border)
        local = np.where(self.local >= 0, r[np.maximum(self.local, 0)], 0.0)
        of_jobs = r[self.b.finish]
        a = (self.inverse @ local[:, :o, None])[:, :, 0]
        joined = np.concatenate([r[self.border], np.zeros(len(self.wide))]) - np.tensordot(
            self.to_joins, a, axes=([0, 1], [0, 1])
        )
        joined -= self.jobs_joined.T @ (of_jobs / self.diagonal)
        at_links = local[:, o:] - (self.to_links.transpose(0, 2, 1) @ a[:, :, None])[:, :, 0]
        there = self.link_here >= 0
        g = np.zeros(len(self.links_joined))
        g[self.link_here[there]] = at_links[there]
        g -= np.bincount(self.gpu_row, self.coupling * (of_jobs / self.diagonal)[self.b.gpu_job], minlength=len(g))
        first = scipy.linalg.cho_solve(self.factored, g, check_finite=False)
        border = (
            scipy.linalg.lu_solve(self.last, joined - self.links_joined.T @ first, check_finite=False)
            if self.last
            else joined
        )
        link = first - self.solved @ border
        held = np.bincount(self.b.gpu_job, self.coupling * link[self.gpu_row], minlength=len(of_jobs))
        of_link = np.where(there, link[np.maximum(self.link_here, 0)], 0.0)
        a = a - self.to_joins @ border - (self.to_links @ of_link[:, :, None])[:, :, 0]
        local = np.concatenate([(self.inverse.transpose(0, 2, 1) @ a[:, :, None])[:, :, 0], of_link], axis=1)
        out = np.zeros(len(r))
        out[self.local[self.local >= 0]] = local[self.local >= 0]
        out[self.b.finish] = (of_jobs - held - self.jobs_joined @ border) / self.diagonal
        out[self.border] = border[:b]
        return out


def _inverse_of_factor(blocks: Floats) -> Floats:
    """Inverse of the lower Cholesky factor of each block, (T, n, n)."""
    scale = 1.0 / np.sqrt(np.einsum("tii->ti", blocks))
    scaled, own = blocks * scale[:, :, None] * scale[:, None, :], np.arange(blocks.shape[1])
    for lift in LIFTS:
        scaled[:, own, own] = 1 + lift
        try:
            factor = np.linalg.cholesky(scaled)
        except np.linalg.LinAlgError:
            continue
        return np.asarray(np.linalg.inv(factor) * scale[:, None, :])
    raise NotFactored("rows of a period")


def _cholesky(matrix: Floats) -> Any:
    """Cholesky factor of a dense matrix, with its diagonal lifted as little as is needed."""
    diagonal, own = np.diag(matrix).copy(), np.arange(len(matrix))
    for lift in LIFTS:
        lifted = matrix.copy()
        lifted[own, own] = diagonal * (1 + lift)
        try:
            return scipy.linalg.cho_factor(lifted, lower=True, overwrite_a=True, check_finite=False)
        except scipy.linalg.LinAlgError:
            continue
    raise NotFactored("links of the groups")
