"""The fake providers that the demo and the tests talk to over real HTTP, with faults on request and a ledger."""
