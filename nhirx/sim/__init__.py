"""The sandbox: a simulated card, control software 6.0, data centre and Web API, over real TLS on loopback."""
