"""The source statsd: metrics that programs send by themselves."""
