"""The 784-256-10 network: one prediction in each mode, and a training step."""

from . import samples


class Network:
    """Inference."""

    params = (samples.MODES, (1, 64))
    param_names = ("mode", "batch")

    def setup(self, mode, batch):
        import numtensor as nt
        from numtensor import nn

        nt.manual_seed(0)
        self.model = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10)).eval()
        self.images = nt.randn(batch, 784)
        self.manager = samples.manager(nt, mode)
        self.manager.__enter__()
        self.model(self.images)

    def teardown(self, mode, batch):
        self.manager.__exit__(None, None, None)

    def time_predict(self, mode, batch):
        self.model(self.images)


class Training:
    """One step of Adam."""

    params = (1, 64)
    param_names = ("batch",)

    def setup(self, batch):
        import numtensor as nt
        from numtensor import nn, optim
        from numtensor.nn import functional

        nt.manual_seed(0)
        self.cross_entropy = functional.cross_entropy
        self.model = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10))
        self.optimizer = optim.Adam(self.model.parameters())
        self.images = nt.randn(batch, 784)
        self.labels = nt.randint(0, 10, (batch,))
        self.time_step(batch)

    def time_step(self, batch):
        self.optimizer.zero_grad()
        self.cross_entropy(self.model(self.images), self.labels).backward()
        self.optimizer.step()
