"""The source dns: names that programs ask for, the answers, and questions without one."""
