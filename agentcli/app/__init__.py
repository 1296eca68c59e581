"""The only room where everything meets: options and configuration become a running agent."""
