"""What a load needs: sizes by a small model, and a simulated day on the manifests of k8s/."""
